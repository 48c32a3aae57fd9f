"""Writes the pages of docs/ that follow from the code: the language of classes, the decision tables, the reasons, the
metrics, the settings, the client's states.

python docs/generate.py           write them
python docs/generate.py --check   exit 1 if a page on disk differs
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import boots_page
import conformance
import msgspec
import performance

from relet.client.arrows import diagram
from relet.config import schema
from relet.config.editor import INNER, json_schema, settings_of
from relet.config.expression import MOST_CHARACTERS, MOST_DEPTH, MOST_VALUES, OPERATORS
from relet.config.fields import FLAGS, HEADER, OPTION_NAMES, RELAY_NAMES, SPACES, field_of
from relet.lab.storm.report import Report
from relet.model.network import BUILT_IN_CLASSES
from relet.model.reasons import REASONS
from relet.run import report as client
from relet.run.metrics import METRICS
from relet.server.classify import Kind
from relet.server.decide import first_rows, table

DOCS = Path(__file__).parent
MADE = "<!-- made by docs/generate.py from the code; do not edit -->\n"
BOOTS_MADE = "<!-- made by docs/generate.py from bench/results/boots.json; do not edit -->\n"
RESULTS_MADE = "<!-- made by docs/generate.py from bench/results/ and docs/performance.template; do not edit -->\n"
TABLES = {
    Kind.INIT_REBOOT: "A client that has a lease boots: DHCPREQUEST with option 50, no option 54, ciaddr zero"
    " (RFC 2131 s3.2, s4.3.2).",
    Kind.RENEWING: "DHCPREQUEST by unicast with ciaddr, at T1 (s4.4.5).",
    Kind.REBINDING: "DHCPREQUEST by broadcast, or through a relay, with ciaddr, at T2 (s4.4.5).",
    Kind.DISCOVER: "A client without a lease looks for servers (s4.3.1).",
    Kind.SELECTING: "A client accepts an offer: DHCPREQUEST with option 54 (s4.3.2).",
    Kind.DECLINE: "A client found its address in use (s4.3.3). There is no reply.",
    Kind.RELEASE: "A client gives its address back (s4.3.4). There is no reply.",
    Kind.LEASEQUERY: "A relay that `leasequery` lists asks about an address, a hardware address or a client identifier"
    " (RFC 4388). Nothing is written, and the answer goes to the relay.",
    Kind.INFORM: "A client with an address of other origin asks for parameters (s4.3.5).",
    Kind.BOOTP: "A request without a message type, from a client that knows only BOOTP (RFC 951, RFC 1534). There is no"
    " negotiation: an ACK here is a BOOTREPLY, and the address is the client's for ever.",
}


def decisions() -> str:
    """The tables of server/decide.py."""
    parts = [
        MADE,
        "# What the server answers, and why\n",
        "For each kind of request, the first row that fits decides. A NAK is given for certain reasons only; a server"
        " without certain knowledge keeps silent. `relet why CLIENT` names the reason; [reasons.md](reasons.md) explains"
        " each. While the server still reads its leases after a start, only a confirmation, a release or parameters stand"
        " that follow from a lease already read; everything else is silence"
        " ([still-loading](reasons.md#still-loading)).\n",
    ]
    for kind, sentence in TABLES.items():
        parts += [f"## {kind.value}\n", sentence + "\n", "| # | what is known | answer | reason |", "|---|---|---|---|"]
        for row in (*first_rows(kind), *table(kind)):
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


CLASSES = """# Classes of clients

A class is clients that have something in common. It can set what they get, guard pools (`allow`, `deny`), decide who is
served on a network, or refuse its clients altogether.

    [[class]]
    name = "phones"
    test = 'vendor-class like "*phone*" or mac starts-with 00:04:f2'
    options = { tftp-server-name = "phones.example.org" }

A client is in every class whose `test` is true of its request, and in those that its reservation names (`classes`). Where
two of its classes say different things, the first in the file wins. Four classes need no row, and are named like others in
`allow`, `deny` and `in-class`:

%(built_in)s

A class with `refuse = true`, and a network's `allow` and `deny`, keep clients out. Who is kept out hears nothing, for
another server may serve it; only a lease of ours, or an address that the client chose from us, is refused aloud.

## Tests

A test compares fields with values, joined by `and`, `or`, `not` and parentheses; `and` binds closer than `or`. Everything is
checked when the file is read: a name that does not exist, or an address compared with a text, is an error that says what to
write. A field that is absent or malformed compares false, with `!=` too; ask `not exists FIELD` if that is what is meant.

    test = 'vendor-class starts-with "PXEClient" and architecture in ["x64-uefi", "ebc"]'
    test = 'user-class == "iPXE" or exists option.etherboot'
    test = 'random-mac and not known'
    test = 'circuit-id like "eth*" and giaddr in 10.9.0.0/16'
    test = 'remote-id[0..2] == 00:1b:0d'
    test = 'asks-for v6-only-preferred'
    test = 'vendor.4491.1 contains 0x7a'
    test = 'in-class "phones" and secs >= 4'

| value | for |
|---|---|
| `"text"` | texts and octets; `\\"` and `\\\\` stand for a quotation mark and a backslash |
| `52:54:00`, `0x525400` | octets |
| `42` | numbers |
| `10.9.0.1`, `10.9.0.0/16` | addresses; prefixes with `in` |
| `["a", "b"]` | lists, with `in` |

A field with `[FIRST..LAST]` behind it is some octets of it, counted from 0, both ends included. Of a field that holds
several values (user classes, architectures, lists of addresses) one that fits is enough; with `!=`, all must differ.

Relay information counts in renewals by unicast too, as it was when the lease was granted (RFC 3046 s2.2). `giaddr` and
`hops` are not there in such a renewal: guard pools by relay information, or by `network`, rather than by them.

## Fields

| field | sort | meaning |
|---|---|---|
%(fields)s

## Tests without a value

| test | true if |
|---|---|
%(flags)s
| `exists FIELD` | the field is there, whatever it holds |
| `asks-for OPTION` | the client's parameter request list (option 55) names the option |
| `in-class "NAME"` | the client is in a class that stands earlier in the file, or that its reservation names |

## Operators

| sort | operators |
|---|---|
%(operators)s

`like` knows `*` for any octets and `?` for any one, and nothing else: no test can take long. A test has at most
%(characters)s characters, %(depth)s levels and %(values)s values in a list.

## Booting from the network

Firmware says what it is by its architecture (option 93), and a boot loader by its user class. With the classes in this
order each gets its own boot file: iPXE first, since it also says what firmware it was started by.

```toml
%(pxe)s```

Firmware that boots by HTTP takes only what calls itself `HTTPClient` in option 60. A PXE ROM that waits for a proxy is told
by sub-option 6 of option 43 to take the boot file and go on; it believes that only from a server that calls itself
`PXEClient`.
"""
PXE = """[[network]]
name = "lab"
interfaces = ["eth0"]
next-server = "192.168.1.2"

[[network.subnet]]
prefix = "192.168.1.0/24"
pools = ["192.168.1.100-192.168.1.199"]

[[class]]
name = "ipxe"
test = 'user-class == "iPXE"'
boot-file = "http://192.168.1.2/menu.ipxe"

[[class]]
name = "uefi-http"
test = 'vendor-class starts-with "HTTPClient" and architecture == "x64-uefi-http"'
boot-file = "http://192.168.1.2/ipxe.efi"
options = { vendor-class-identifier = "HTTPClient" }
force = ["vendor-class-identifier"]

[[class]]
name = "uefi"
test = 'vendor-class starts-with "PXEClient" and architecture in ["x64-uefi", "ebc"]'
boot-file = "ipxe.efi"

[[class]]
name = "bios"
test = 'vendor-class starts-with "PXEClient" and architecture == "x86-bios" and not in-class "ipxe"'
boot-file = "undionly.kpxe"
options = { vendor-class-identifier = "PXEClient", vendor-encapsulated-options = { option-6 = "08" } }
force = ["vendor-class-identifier", "vendor-encapsulated-options"]
"""


def classes() -> str:
    """The language of config/expression.py, its fields and operators."""
    fields = [(name, sort, meaning) for name, (sort, meaning) in HEADER.items()]
    short = [(name, f"{meaning}") for name, (_, meaning) in OPTION_NAMES.items()]
    short += [(name, f"sub-option of the relay information, `relay.{name}`") for name in RELAY_NAMES]
    fields += [(name, field_of(name).sort + (", several" if field_of(name).many else ""), text) for name, text in short]
    fields += [(name, "octets" if name.startswith("vendor") else "of its kind", text) for name, text in SPACES.items()]
    said = {
        "built_in": "\n".join(f"- `{name}`: {meaning}" for name, meaning in BUILT_IN_CLASSES.items()),
        "fields": "\n".join(f"| `{name}` | {sort} | {meaning} |" for name, sort, meaning in fields),
        "flags": "\n".join(f"| `{name}` | {meaning} |" for name, meaning in FLAGS.items()),
        "operators": "\n".join(
            f"| {sort} | {', '.join(f'`{each}`' for each in fitting)} |" for sort, fitting in OPERATORS.items()
        ),
        "characters": MOST_CHARACTERS,
        "depth": MOST_DEPTH,
        "values": MOST_VALUES,
        "pxe": PXE,
    }
    return MADE + "\n" + CLASSES % said


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


def storm_schema() -> str:
    """What a report of `relet storm --json` holds."""
    return json.dumps(msgspec.json.schema(Report), indent=2) + "\n"


def client_schema(kind: type) -> str:
    """What a client tells in JSON."""
    return json.dumps(msgspec.json.schema(kind), indent=2) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "boots.md": lambda: BOOTS_MADE + "\n" + boots_page.page(),
    "boots.svg": boots_page.picture,
    "client-result.schema.json": lambda: client_schema(client.Result),
    "client-status.schema.json": lambda: client_schema(client.Report),
    "conformance.md": lambda: MADE + "\n" + conformance.page(),
    "classes.md": classes,
    "decisions.md": decisions,
    "metrics.md": metrics,
    "performance.md": lambda: RESULTS_MADE + "\n" + performance.page(),
    "performance-stages.svg": performance.picture_of_stages,
    "performance-targets.svg": performance.picture_of_targets,
    "reasons.md": reasons,
    "states.md": states,
    "settings.md": settings,
    "relet.schema.json": editor_schema,
    "storm.schema.json": storm_schema,
}


def main() -> int:
    """Write or check all pages."""
    stale = [name for name, page in PAGES.items() if not (DOCS / name).exists() or (DOCS / name).read_text() != page()]
    if "--check" in sys.argv:
        for name in stale:
            sys.stderr.write(f"docs/{name} is not what the code and the results say; run `make docs`\n")
        return 1 if stale else 0
    for name in stale:
        (DOCS / name).write_text(PAGES[name]())
    return 0


if __name__ == "__main__":
    sys.exit(main())
