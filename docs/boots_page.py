"""The page on boots and its picture: how long clients take to an address, from the kept result of bench/boots.py."""

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any, NamedTuple

import charts
from targets import NEVER, NOT_MEASURED, Results, figure, read

OURS = "relet"
ROWS = {
    "allocation": ("Allocation", "Nothing is remembered: DISCOVER, OFFER, REQUEST, ACK."),
    "confirmed": ("Reallocation, confirmed", "A lease is remembered; its server is there and acknowledges it."),
    "negated": (
        "Reallocation, negated",
        "The machine woke up in another network. Its server refuses the address and gives another one.",
    ),
    "silent": (
        "Unanswered, with a server",
        "The server has lost what it knew: it does not answer for an address that it cannot judge, but gives one to whoever"
        " asks by DHCPDISCOVER. The gateway is the same as before.",
    ),
    "alone": (
        "Unanswered, without a server",
        "No server at all. The host that was the gateway is there, and answers ARP and pings.",
    ),
}
HEAD = """# Boots

From the start of a client to an address that works, beside the clients that people have. `bench/boots.py` measures it.

![Time to a usable address, median](boots.svg)

## Method

- The clock begins right before the client is executed. It ends when the kernel says that the address is on the interface;
  the address counts only if the gateway then answers a ping from it, and if it stays. All is seen from outside.
- Each boot has a network, processes, `/run`, `/etc` and `/var/lib` of its own, and a dnsmasq of its own that does not ping
  before it offers. The lease that is remembered was got in the same way, by the same program.
- Programs are as their users start them, with Debian's settings and scripts; what differs is in the name. udhcpc remembers
  no lease: it is told the old address (`-r`), and asks for it by DHCPDISCOVER.
- relet asks the old gateway by ARP while it asks the server (RFC 4436). Who answers first confirms the address; a DHCPNAK
  that comes later takes it away again. Its modules are compiled, as pip does it.
- Clients take turns, run by run. What passed on the wire is told with each row, so that no figure is about something else;
  a boot that came to nothing counts as *never*, and is told.
- *quartiles*: a quarter of the boots were faster, a quarter slower. *first packet*: from the start to the first DHCP
  message. *ACK to address*: what a client does, checks included, between the server's acknowledgement and the address.
  Both are medians; nothing stands there if the address came before the acknowledgement, or without one.
- Machine: {machine}.

"""


class Best(NamedTuple):
    """A client and its median."""

    client: str
    ms: float


def fastest(row: Mapping[str, Mapping[str, Any]], clients: Sequence[str]) -> Best | None:
    """Of these, in a row; None if none came to an address."""
    came = [Best(each, row[each]["median_ms"]) for each in clients if each in row and row[each]["median_ms"] != NEVER]
    return min(came, key=lambda best: best.ms, default=None)


def verdict(row: Mapping[str, Mapping[str, Any]], facts: Mapping[str, Mapping[str, Any]]) -> str:
    """Who was the fastest: of all, and of those that look whether somebody else has the address."""
    said = []
    for who, checked in (("of all", False), ("of those that check for conflicts", True)):
        names = [name for name in row if facts[name]["checks"] or not checked]
        best = fastest(row, names)
        said.append(f"Fastest {who}: " + (f"**{best.client}**, {_duration(best.ms)}." if best else "nobody."))
    return " ".join(said)


def table(row: Mapping[str, Mapping[str, Any]], facts: Mapping[str, Mapping[str, Any]]) -> str:
    """One line for each client, and what its boots were."""
    lines = [
        "| client | median | quartiles | first packet | ACK to address | check | usable | on the wire |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, each in row.items():
        ways = "; ".join(way if len(each["ways"]) == 1 else f"{count} x {way}" for way, count in each["ways"].items())
        dead = "".join(f"; {count} x {why}" for why, count in each["dead"].items())
        cells = (
            name,
            f"**{_duration(each['median_ms'])}**",
            f"{_duration(each['low_ms'])} to {_duration(each['high_ms'])}",
            _duration(each["sent_ms"]),
            _duration(each["applied_ms"]),
            facts[name]["checks"] or "none",
            f"{each['usable']} of {each['runs']}{dead}",
            ways,
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def page(results: Results | None = None) -> str:
    """The page, less the line that says that it is made."""
    known = read() if results is None else results
    rows, facts = figure(known, ["boots", "rows"]) or {}, figure(known, ["boots", "clients"]) or {}
    machine = known["boots"]["machine"] if "boots" in known else None
    told = "{cpu}, {cores} cores; Linux {kernel}; Python {python}".format(**machine) if machine else NOT_MEASURED
    parts = [HEAD.format(machine=told)]
    for name, (heading, words) in ROWS.items():
        parts.append(f"## {heading}\n\n{words}\n")
        found = rows.get(name)
        parts.append(
            f"{verdict(found, facts)}\n\n{table(found, facts)}\n" if found else f"*{NOT_MEASURED.capitalize()}.*\n"
        )
    return "\n".join(parts).replace("\n\n\n", "\n\n")


def picture(results: Results | None = None) -> str:
    """The medians."""
    rows = figure(read() if results is None else results, ["boots", "rows"]) or {}
    groups = {
        ROWS[name][0]: [
            charts.Time(
                client,
                inf if each["median_ms"] == NEVER else each["median_ms"],
                _duration(each["median_ms"]),
                client.startswith(OURS),
            )
            for client, each in rows[name].items()
        ]
        for name in ROWS
        if name in rows
    }
    return charts.times("From the start of a client to a usable address, median", groups)


def _duration(ms: float | str | None) -> str:
    """In words: 27 ms, 5.83 s, never."""
    if ms is None:
        return ""
    if isinstance(ms, str):
        return ms
    return f"{ms:.3g} ms" if ms < 999.5 else f"{ms / 1000:.2f} s"
