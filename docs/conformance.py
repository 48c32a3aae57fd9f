"""The page on conformance: what RFCs require of a server, row by row, and which test shows it.

The rows are tests/facts/requirements.csv, the verdicts docs/conformance.csv: `shown` (by these tests), `does-not-apply` and
`not-done` (for the reason in the note).
"""

import csv
from collections import Counter
from pathlib import Path

DOCS = Path(__file__).parent
REQUIREMENTS = DOCS.parent / "tests" / "facts" / "requirements.csv"
VERDICTS = DOCS / "conformance.csv"
RFCS = {
    "2131": "Dynamic Host Configuration Protocol",
    "2132": "DHCP options and BOOTP vendor extensions",
    "3046": "Relay agent information",
    "3396": "Long options",
    "6842": "Client identifier in replies",
    "4361": "Node-specific client identifiers",
    "3527": "Link selection",
    "3011": "Subnet selection",
    "5107": "Server identifier override",
    "4388": "Leasequery",
    "4702": "Client FQDN",
    "4039": "Rapid commit",
    "2563": "Auto-configure",
    "8925": "IPv6-only preferred",
    "8357": "Relay source port",
    "1534": "Interoperation with BOOTP",
    "1542": "Clarifications for BOOTP",
}
"""What the page is about, in its order."""
SIDES = ("server", "both")
KINDS = {"shown": "shown by a test", "does-not-apply": "does not apply", "not-done": "not done"}


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def page() -> str:
    """The whole page, less the line that says that it is made."""
    verdicts = {row["id"]: row for row in _table(VERDICTS)}
    rows = [row for row in _table(REQUIREMENTS) if row["side"] in SIDES and row["id"] in verdicts]
    parts = [
        "# Conformance\n",
        "What the RFCs require of a server, in the words of this project, and the test that shows it. A row is *shown* only"
        " if a test would fail without it; what is not done has its reason.\n",
        "| RFC | about | rows | " + " | ".join(KINDS.values()) + " |",
        "|---|---|---|" + "---|" * len(KINDS),
    ]
    for rfc, title in RFCS.items():
        count = Counter(verdicts[row["id"]]["verdict"] for row in rows if row["rfc"] == rfc)
        parts.append(
            f"| [{rfc}](#rfc-{rfc}) | {title} | {count.total()} | "
            + " | ".join(str(count[kind]) for kind in KINDS)
            + " |"
        )
    for rfc in RFCS:
        parts += [f"\n## RFC {rfc}\n", "| row | strength | requirement | how |", "|---|---|---|---|"]
        parts += [_line(row, verdicts[row["id"]]) for row in rows if row["rfc"] == rfc]
    return "\n".join(parts) + "\n"


def _line(row: dict[str, str], verdict: dict[str, str]) -> str:
    tests = [
        f"[{name.replace('_', ' ').removeprefix('test ')}](../{file})"
        for file, name in map(_node, verdict["tests"].split())
    ]
    kind = "" if verdict["verdict"] == "shown" else f"*{KINDS[verdict['verdict']]}*"
    how = "; ".join(each for each in (kind, *tests, verdict["note"].replace("|", r"\|")) if each)
    requirement = row["requirement"].replace("|", r"\|")
    return f"| {row['id']} | {row['strength']} | {requirement} | {how} |"


def _node(node: str) -> tuple[str, str]:
    file, _, name = node.partition("::")
    return file, name
