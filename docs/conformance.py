"""The page on conformance: what RFCs require of a server and of a client, row by row, and which test shows it.

The rows are tests/facts/requirements.csv, the verdicts docs/conformance-server.csv and docs/conformance-client.csv:
`shown` (by these tests), `does-not-apply` and `not-done` (for the reason in the note). A row of both sides has a verdict
in each.
"""

import csv
from collections import Counter
from pathlib import Path

DOCS = Path(__file__).parent
REQUIREMENTS = DOCS.parent / "tests" / "facts" / "requirements.csv"
RFCS = {
    "2131": "Dynamic Host Configuration Protocol",
    "2132": "DHCP options and BOOTP vendor extensions",
    "5227": "Address conflict detection",
    "3046": "Relay agent information",
    "3396": "Long options",
    "3442": "Classless static routes",
    "6842": "Client identifier in replies",
    "4361": "Node-specific client identifiers",
    "4436": "Detecting network attachment",
    "3527": "Link selection",
    "3011": "Subnet selection",
    "5107": "Server identifier override",
    "4388": "Leasequery",
    "4702": "Client FQDN",
    "4039": "Rapid commit",
    "2563": "Auto-configure",
    "8925": "IPv6-only preferred",
    "7844": "Anonymity profiles",
    "8910": "Captive portal",
    "3203": "Forced renewal",
    "6704": "Authentication of forced renewal",
    "8357": "Relay source port",
    "1534": "Interoperation with BOOTP",
    "1542": "Clarifications for BOOTP",
}
"""What the page is about, in its order."""
SIDES = ("server", "client")
KINDS = {"shown": "shown by a test", "does-not-apply": "does not apply", "not-done": "not done"}

Row = dict[str, str]


def _table(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def verdicts(side: str) -> dict[str, Row]:
    """The verdicts on one side's rows, by row."""
    return {row["id"]: row for row in _table(DOCS / f"conformance-{side}.csv")}


def page() -> str:
    """The whole page, less the line that says that it is made."""
    judged = {side: verdicts(side) for side in SIDES}
    requirements = _table(REQUIREMENTS)
    rows = {
        (rfc, side): [row for row in requirements if row["rfc"] == rfc and row["id"] in judged[side]]
        for rfc in RFCS
        for side in SIDES
    }
    parts = [
        "# Conformance\n",
        "What the RFCs require of a server and of a client, in the words of this project, and the test that shows it."
        " A row is *shown* only if a test would fail without it; what is not done has its reason. A row that speaks of both"
        " sides stands on each.\n",
        "| RFC | about | side | rows | " + " | ".join(KINDS.values()) + " |",
        "|---|---|---|---|" + "---|" * len(KINDS),
    ]
    for (rfc, side), found in rows.items():
        if found:
            count = Counter(judged[side][row["id"]]["verdict"] for row in found)
            numbers = " | ".join(str(count[kind]) for kind in KINDS)
            parts.append(
                f"| [{rfc}](#rfc-{rfc}-{side}) | {RFCS[rfc]} | {side} | {count.total()} | {numbers} |",
            )
    for (rfc, side), found in rows.items():
        if found:
            parts += [f"\n## RFC {rfc} {side}\n", "| row | strength | requirement | how |", "|---|---|---|---|"]
            parts += [_line(row, judged[side][row["id"]]) for row in found]
    return "\n".join(parts) + "\n"


def _line(row: Row, verdict: Row) -> str:
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
