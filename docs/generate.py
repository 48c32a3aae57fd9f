"""Writes the pages of docs/ that follow from the code: the decision tables, the reasons, the metrics, the client's states.

python docs/generate.py           write them
python docs/generate.py --check   exit 1 if a page on disk differs
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import conformance

from relet.client.arrows import diagram
from relet.config import schema
from relet.config.editor import INNER, json_schema, settings_of
from relet.model.reasons import REASONS
from relet.run.metrics import METRICS
from relet.server.classify import Kind
from relet.server.decide import NO_NETWORK, table

DOCS = Path(__file__).parent
MADE = "<!-- made by docs/generate.py from the code; do not edit -->\n"
TABLES = {
    Kind.INIT_REBOOT: "A client that has a lease boots: DHCPREQUEST with option 50, no option 54, ciaddr zero"
    " (RFC 2131 s3.2, s4.3.2).",
    Kind.RENEWING: "DHCPREQUEST by unicast with ciaddr, at T1 (s4.4.5).",
    Kind.REBINDING: "DHCPREQUEST by broadcast, or through a relay, with ciaddr, at T2 (s4.4.5).",
    Kind.DISCOVER: "A client without a lease looks for servers (s4.3.1).",
    Kind.SELECTING: "A client accepts an offer: DHCPREQUEST with option 54 (s4.3.2).",
    Kind.DECLINE: "A client found its address in use (s4.3.3). There is no reply.",
    Kind.RELEASE: "A client gives its address back (s4.3.4). There is no reply.",
    Kind.INFORM: "A client with an address of other origin asks for parameters (s4.3.5).",
}


def decisions() -> str:
    """The tables of server/decide.py."""
    parts = [
        MADE,
        "# What the server answers, and why\n",
        "For each kind of request, the first row that fits decides. A NAK is given for certain reasons only; a server"
        " without certain knowledge keeps silent. `relet why CLIENT` names the reason; [reasons.md](reasons.md) explains"
        " each.\n",
    ]
    for kind, sentence in TABLES.items():
        parts += [f"## {kind.value}\n", sentence + "\n", "| # | what is known | answer | reason |", "|---|---|---|---|"]
        for row in (NO_NETWORK, *table(kind)):
            parts.append(
                f"| {row.number} | {row.known} | {row.answer.value} | [{row.reason.id}](reasons.md#{row.reason.id}) |"
            )
        parts.append("")
    return "\n".join(parts)


def reasons() -> str:
    """The rows of model/reasons.py."""
    parts = [
        MADE,
        "# Reasons\n",
        "Every verdict has one of these. *Certain* means that it rests on knowledge that no other server can have better;"
        " only such a reason allows a NAK.\n",
    ]
    for reason in REASONS.values():
        certain = "certain" if reason.certain else "not certain"
        text = reason.text.format(address="the address")
        parts += [
            f"## {reason.id}\n",
            f"*{certain}*; the client is answered so because {text}.\n",
            reason.manual + "\n",
        ]
    return "\n".join(parts)


def states() -> str:
    """The diagram of client/arrows.py."""
    return "\n".join(
        [
            MADE,
            "# The client's states\n",
            "RFC 2131 figure 5, and the states that the figure leaves out. Every arrow is a row of the machine's own"
            " table; there is no other way from state to state.\n",
            "```mermaid",
            diagram().strip(),
            "```\n",
        ]
    )


def metrics() -> str:
    """The rows of run/metrics.py."""
    parts = [
        MADE,
        "# Metrics\n",
        "What a running server tells Prometheus at `/metrics`. [reasons.md](reasons.md) explains the reasons of verdicts;"
        " `relet status` tells the same in words.\n",
        "| metric | kind | labels | meaning |",
        "|---|---|---|---|",
    ]
    for row in METRICS:
        labels = ", ".join(f"`{label}`" for label in row.labels)
        parts.append(f"| `{row.name}` | {row.kind} | {labels} | {row.about} |")
    return "\n".join(parts) + "\n"


def settings() -> str:
    """The tables of config/schema.py."""
    parts = [
        MADE,
        "# Settings\n",
        'Every setting of a configuration file. Times are `"90s"`, `"30m"`, `"8h"`, `"1d"`, `"1w"` or a number of'
        ' seconds; lease times may be `"infinite"`. Addresses are text. [relet.schema.json](relet.schema.json) says the'
        " same to an editor.\n",
        "## What clients get\n",
        f"May stand in each of {', '.join(f'`{heading}`' for heading in schema.TABLES)}. The nearest wins: reservation,"
        " class, pool, subnet, network, server.\n",
        *_setting_rows(schema.Said, set()),
        "## Policies\n",
        "May stand in `[[network]]`, and in `[server]` for all networks that do not say otherwise.\n",
        *_setting_rows(schema.Policy, set()),
    ]
    told: set[type[schema.Settings]] = set()
    common = set(schema.Said.model_fields) | set(schema.Policy.model_fields)
    for kind in schema.TABLES.values():
        if kind not in told:
            headings = [heading for heading, each in schema.TABLES.items() if each is kind]
            meaning = " ".join((kind.__doc__ or "").split())
            parts += [f"## {', '.join(headings)}\n", meaning + "\n", *_setting_rows(kind, common)]
        told.add(kind)
    return "\n".join(parts)


def _setting_rows(kind: type[schema.Settings], common: set[str]) -> list[str]:
    """One row for each setting of a table that is not among the common ones, nor a table itself."""
    own = {str(field.alias) for name, field in kind.model_fields.items() if name not in common}
    rows = ["| setting | default | meaning |", "|---|---|---|"]
    for name, said in settings_of(kind).items():
        if name in own and name not in INNER:
            meaning = str(said["description"]).replace("|", "\\|")
            choices = ", ".join(f'`"{each}"`' for each in said.get("enum", ()))
            rows.append(f"| `{name}` | {_default(said)} | {meaning}{f' One of {choices}.' if choices else ''} |")
    return [*rows, ""]


def _default(said: dict[str, object]) -> str:
    default = said.get("default")
    return "" if default in (None, "", [], {}) else f"`{json.dumps(default)}`"


def editor_schema() -> str:
    """What an editor needs to know of a configuration file."""
    return json.dumps(json_schema(), indent=2) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "conformance.md": lambda: MADE + "\n" + conformance.page(),
    "decisions.md": decisions,
    "metrics.md": metrics,
    "reasons.md": reasons,
    "states.md": states,
    "settings.md": settings,
    "relet.schema.json": editor_schema,
}


def main() -> int:
    """Write or check all pages."""
    stale = [name for name, page in PAGES.items() if not (DOCS / name).exists() or (DOCS / name).read_text() != page()]
    if "--check" in sys.argv:
        for name in stale:
            sys.stderr.write(f"docs/{name} is not what the code says; run `make docs`\n")
        return 1 if stale else 0
    for name in stale:
        (DOCS / name).write_text(PAGES[name]())
    return 0


if __name__ == "__main__":
    sys.exit(main())
