"""A client's last exchange on the terminal: each host that was heard has its column, and no story breaks the picture."""

from io import StringIO

import pytest
from rich.console import Console

from relet.cli.exchange import show_exchange
from relet.run.recorder import Exchange, Moment
from relet.run.report import Report

SERVER, GATEWAY, OTHER = "192.168.1.1", "192.168.1.254", "52:54:00:00:00:99"


def shown(*moments: Moment, interface: str = "eth0", omitted: int = 0) -> list[str]:
    """The lines, without the ones at the top that say when."""
    out = StringIO()
    exchange = Exchange(1_700_000_000.0, moments, omitted)
    report = Report(interface, "52:54:00:12:34:56", 1, 0.0, "BOUND", 0.0, None, (), {}, exchange)
    show_exchange(Console(file=out, width=80), report)
    lines = out.getvalue().splitlines()
    assert lines[0].startswith("Last exchange, begun 2023-11-1")
    return lines[2:]


def test_a_confirmed_reboot() -> None:
    lines = shown(
        Moment(0.0, "sent", "DHCPREQUEST", text="INIT-REBOOT, requested 192.168.1.100"),
        Moment(0.0, "state", "REBOOTING"),
        Moment(0.001, "heard", "DHCPACK", SERVER, text="192.168.1.100 for 3600 s"),
        Moment(0.001, "state", "BOUND", text="192.168.1.100"),
        Moment(0.002, "sent", "ARP announcement", text="192.168.1.100 is mine"),
    )
    assert lines == [
        "      eth0 · client                                server",
        "    52:54:00:12:34:56                            192.168.1.1",
        "            │                                         │",
        "  0.000 s   ├────────────── DHCPREQUEST ─────────────►│",
        "            │   INIT-REBOOT, requested 192.168.1.100  │",
        "            ◆ REBOOTING                               │",
        "  0.001 s   │◄─────────────── DHCPACK ────────────────┤",
        "            │         192.168.1.100 for 3600 s        │",
        "            ◆ BOUND  192.168.1.100                    │",
        "  0.002 s   ├──────────── ARP announcement ──────────►│",
        "            ┃          192.168.1.100 is mine          │",
    ]


def test_whoever_was_never_heard_has_no_column() -> None:
    lines = shown(
        Moment(0.0, "sent", "ARP request", GATEWAY, "52:54:00:00:00:01", "does anybody have 192.168.1.254?"),
        Moment(0.5, "sent", "DHCPREQUEST", SERVER, text="ciaddr 192.168.1.100"),
        Moment(0.5, "state", "RENEWING", text="192.168.1.100"),
    )
    assert lines == [
        "      eth0 · client",
        "    52:54:00:12:34:56",
        "            │",
        "  0.000 s   ├╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌ ARP request ╌╌╌╌╌╌╌╌╌╌╌╌╌✗",
        "            │     does anybody have 192.168.1.254?",
        "            │             to 192.168.1.254",
        "  0.500 s   ├╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌ DHCPREQUEST ╌╌╌╌╌╌╌╌╌╌╌╌╌✗",
        "            │           ciaddr 192.168.1.100",
        "            │              to 192.168.1.1",
        "            ◆ RENEWING  192.168.1.100",
    ]


def test_servers_and_hosts_are_told_apart_and_what_counted_for_nothing_is_so_called() -> None:
    lines = shown(
        Moment(0.0, "heard", "ARP reply", GATEWAY, text="192.168.1.254 is mine"),
        Moment(0.1, "heard", "DHCPOFFER", SERVER, text="192.168.1.100 for 3600 s"),
        Moment(0.2, "ignored", "DHCPOFFER", "192.168.1.2", text="192.168.1.7 for 60 s"),
        Moment(0.3, "note", "conflict", text="192.168.1.100 is in use"),
    )
    assert lines[0].split() == ["eth0", "·", "client", "host", "server", "server", "2"]
    assert lines[1].split() == ["52:54:00:12:34:56", GATEWAY, SERVER, "192.168.1.2"]
    assert any("ignored" in line for line in lines)
    assert any("· 192.168.1.100" in line for line in lines)


def test_of_many_hosts_the_last_share_a_column() -> None:
    heard = [Moment(number / 10, "heard", "DHCPOFFER", f"10.0.0.{number}") for number in range(1, 9)]
    answer = Moment(1.0, "sent", "DHCPREQUEST", "10.0.0.8")
    lines = shown(*heard, answer, omitted=7)
    assert lines[0].split() == ["eth0", "·", "client", "server", "server", "2", "others", "·", "host"]
    assert "· 7 earlier" in lines[3]
    assert sum("DHCPOFFER" in line for line in lines) == 8


@pytest.mark.parametrize("interface", ["server", "host", "others", "server 2", "x" * 15, "\x1b[31m"])
def test_any_name_of_an_interface_will_do(interface: str) -> None:
    lines = shown(
        Moment(0.0, "heard", "DHCPOFFER", SERVER),
        Moment(0.0, "heard", "ARP reply", OTHER, OTHER),
        *(Moment(0.0, "heard", "DHCPOFFER", f"10.0.0.{number}") for number in range(4)),
        interface=interface,
    )
    assert "\x1b" not in "".join(lines)
    assert sum("DHCPOFFER" in line for line in lines) == 5
