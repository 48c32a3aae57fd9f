"""A host's addresses, routes and links as `ip` tells them, to compare before and after."""

import json

from support.lab import Lab, until

ASKED = ("-4 address show", "-6 address show", "route show table all", "-6 route show table all", "link show")

CHANGING = {"valid_life_time", "preferred_life_time"}
"""What is left of lifetimes."""


def quiet(lab: Lab, namespace: str) -> None:
    """Before interfaces come into it: IPv6 addresses are there at once, and nothing changes by itself afterwards."""
    lab.run(namespace, "sh", "-c", "echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad")


def snapshot(lab: Lab, namespace: str) -> object:
    """All of it, to be compared with another one; once each interface has its link-local IPv6 address."""
    until(lambda: _settled(lab, namespace))
    shown = [json.loads(lab.ip(namespace, "-json", *each.split())) for each in ASKED]
    return json.loads(json.dumps(shown), object_hook=_lasting)


def _settled(lab: Lab, namespace: str) -> bool:
    links = json.loads(lab.ip(namespace, "-json", "link", "show"))
    routes = json.loads(lab.ip(namespace, "-json", "-6", "route", "show", "table", "local"))
    local = {row["dev"] for row in routes if row["dst"].startswith("fe80") and row.get("type") == "local"}
    return local == {row["ifname"] for row in links} - {"lo"}


def _lasting(row: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in row.items() if name not in CHANGING}
