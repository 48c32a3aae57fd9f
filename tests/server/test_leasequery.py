"""Leasequery (RFC 4388): queries made by scapy, and what its eyes see in the answers."""

from typing import Any

import pytest
from msgspec.structs import replace

from relet.model.effects import Send
from relet.model.events import Arrival
from relet.model.ident import client_key
from relet.model.lease import FOREVER, Change, Lease, LeaseState
from relet.model.network import Network, Reservation
from relet.server.engine import Engine
from relet.wire.address import ip_text, parse_ip
from relet.wire.message import decode
from relet.wire.relayinfo import encode_suboptions
from support.networks import subnet
from support.oracle import BOOTP, DHCP
from support.table import MAC, OFFICE, OTHER_MAC, RELAY, SERVER, Table, ip, kind_of, selecting

ACCESS = parse_ip("10.77.0.1")
"""The relay that may ask; it lies in no network."""
ALL = bytes((1, 3, 12, 15, 51, 58, 59, 61, 82, 91, 43))
ID = b"\xff\x00\x00\x00\x07\x00\x03\x00\x01me"
INFO = encode_suboptions({1: b"port-7"})
OPTIONS = {1: b"\xff\xff\xff\x00", 3: SERVER.to_bytes(4), 15: b"example.org", 43: b"\x01\x01s"}


class Asked(Table):
    """A server that one relay may ask."""

    def __init__(self, network: Network = OFFICE, relays: tuple[int, ...] = (ACCESS,)) -> None:
        super().__init__(network)
        self.relays = relays
        self.restart()

    def restart(self) -> None:
        self.engine = Engine((self.network,), self.store, frozenset({SERVER}), self.relays)

    def have(self, address: int, client_id: bytes = b"", mac: bytes = MAC, ago: int = 100, **fields: Any) -> Lease:
        """A lease of 3600 seconds, granted so long ago."""
        starts = int(self.now.wall) - ago
        key = client_key(client_id, 1, mac)
        lease = Lease(address, key, "office", LeaseState.BOUND, starts, starts + 3601, b"\1" + mac)
        lease = replace(lease, **fields)
        self.store.commit([Change(self.on(address), lease)], self.now.wall)
        self.restart()
        return lease

    def sends(self, wanted: bytes | None = ALL, client_id: bytes = b"", **fields: Any) -> list[Send]:
        """scapy's query."""
        options: list[Any] = [("message-type", "lease_query")]
        if client_id:
            options.append(("client_id", client_id))
        if wanted is not None:
            options.append(("param_req_list", list(wanted)))
        header = {"op": 1, "xid": 77, "htype": 0, "hlen": 0, "giaddr": ip_text(ACCESS)} | fields
        query = bytes(BOOTP(**header) / DHCP(options=[*options, "end"]))
        return self.engine.handle([Arrival(query, "", SERVER, ACCESS, 67, False)], self.now)

    def ask(self, wanted: bytes | None = ALL, client_id: bytes = b"", **fields: Any) -> Any:
        """The answer as scapy reads it."""
        (send,) = self.sends(wanted, client_id, **fields)
        assert not self.engine.bugs
        assert (send.destination, send.port, send.mac) == (ACCESS, 67, None)
        return BOOTP(send.payload)


def by_mac(mac: bytes) -> dict[str, Any]:
    return {"htype": 1, "hlen": 6, "chaddr": mac + bytes(10)}


def kind(answer: Any) -> str:
    names = {11: "UNASSIGNED", 12: "UNKNOWN", 13: "ACTIVE"}
    return names[decode(bytes(answer)).kind]


def options(answer: Any) -> dict[int, bytes]:
    return decode(bytes(answer)).options


def test_all_three_kinds_of_query() -> None:
    """R4388-6.3-01, R4388-6.4-03, R4388-5-03, R4388-6.4.2-01"""
    table = Asked()
    table.have(ip(100), ID)
    for answer in (
        table.ask(ciaddr=ip_text(ip(100))),
        table.ask(**by_mac(MAC)),
        table.ask(client_id=ID),
    ):
        assert kind(answer) == "ACTIVE"
        assert (answer.ciaddr, answer.htype, answer.hlen) == (ip_text(ip(100)), 1, 6)
        assert (answer.chaddr[:6], answer.yiaddr, answer.giaddr, answer.xid) == (MAC, "0.0.0.0", ip_text(ACCESS), 77)


def test_an_active_lease_in_full() -> None:
    """R4388-6.1-01, R4388-6.4.2-02, R4388-6.4.2-04, R4388-6.4.2-06, R4388-6.4.2-07, R4388-6.7-01"""
    table = Asked(replace(OFFICE, subnets=(subnet("192.168.1.0/24", (ip(100), ip(109)), options=OPTIONS),)))
    table.have(ip(100), ID, hostname="me", relay=INFO)
    got = options(table.ask(ciaddr=ip_text(ip(100))))
    number = {code: int.from_bytes(got[code]) for code in (51, 58, 59, 91)}
    assert number == {51: 3501, 58: 1700, 59: 3050, 91: 100}
    assert (got[61], got[12], got[82], got[54]) == (ID, b"me", INFO, SERVER.to_bytes(4))
    assert list(got)[-1] == 82
    assert 92 not in got


def test_options_that_are_nobody_elses_business_are_not_told() -> None:
    """R4388-6.4.2-08"""
    table = Asked(replace(OFFICE, subnets=(subnet("192.168.1.0/24", (ip(100), ip(109)), options=OPTIONS),)))
    table.have(ip(100))
    got = options(table.ask(ciaddr=ip_text(ip(100))))
    assert {code: got.get(code) for code in OPTIONS} == OPTIONS | {43: None}


def test_only_what_was_asked_for() -> None:
    table = Asked()
    table.have(ip(100), ID, relay=INFO)
    assert list(options(table.ask(b"\x33", ciaddr=ip_text(ip(100))))) == [53, 54, 51]


def test_without_a_list_everything() -> None:
    """R4388-6.2-03"""
    table = Asked()
    table.have(ip(100), ID, relay=INFO)
    assert {1, 3, 6, 15, 51, 58, 59, 61, 82, 91} <= options(table.ask(None, ciaddr=ip_text(ip(100)))).keys()


def test_times_that_are_past_are_left_out() -> None:
    """R4388-6.4.2-06"""
    table = Asked()
    table.have(ip(100), ago=2000)
    assert {51, 59} == options(table.ask(b"\x33\x3a\x3b", ciaddr=ip_text(ip(100)))).keys() - {53, 54}
    table.have(ip(100), ago=3300)
    assert {51} == options(table.ask(b"\x33\x3a\x3b", ciaddr=ip_text(ip(100)))).keys() - {53, 54}
    table.have(ip(100), expires=FOREVER)
    got = options(table.ask(b"\x33\x3a\x3b", ciaddr=ip_text(ip(100))))
    assert [got[code] for code in (51, 58, 59)] == [b"\xff" * 4] * 3


def test_a_client_with_several_addresses() -> None:
    """R4388-6.4.1-01, R4388-6.4.2-03: the newest answers, and all are listed although nobody asked for the list."""
    table = Asked()
    table.have(ip(100), ID, ago=300)
    table.have(ip(101), b"\0other", ago=50)
    table.have(ip(102), ago=200)
    table.have(ip(103), mac=OTHER_MAC, ago=1)
    table.have(ip(104), ago=5000)
    answer = table.ask(b"\x33", **by_mac(MAC))
    assert answer.ciaddr == ip_text(ip(101))
    associated = b"".join(ip(last).to_bytes(4) for last in (101, 102, 100))
    assert options(answer)[92] == associated
    assert options(table.ask(b"", client_id=ID, ciaddr="0.0.0.0"))[92] == associated


def test_an_address_that_nobody_has() -> None:
    """R4388-6.4-01, R4388-5-03, R4388-6.4.2-05: nothing but the type."""
    table = Asked(replace(OFFICE, reservations=(Reservation("mac", OTHER_MAC, ip(50)),)))
    table.have(ip(100), ago=9999)
    for last in (100, 105, 50):
        answer = table.ask(ciaddr=ip_text(ip(last)))
        assert (kind(answer), answer.ciaddr, list(options(answer))) == ("UNASSIGNED", ip_text(ip(last)), [53])


def test_what_is_not_known() -> None:
    """R4388-6.4-02, R4388-6.4.1-02"""
    table = Asked()
    table.have(ip(100), ago=9999)
    for answer in (
        table.ask(ciaddr="172.16.0.1"),
        table.ask(ciaddr=ip_text(ip(200))),
        table.ask(**by_mac(MAC)),
        table.ask(client_id=b"\0nobody"),
    ):
        assert (kind(answer), list(options(answer))) == ("UNKNOWN", [53])


@pytest.mark.parametrize(
    ("fields", "client_id", "name"),
    [
        ({"giaddr": "0.0.0.0", "ciaddr": "192.168.1.100"}, b"", "leasequery-without-relay"),
        ({"giaddr": ip_text(RELAY), "ciaddr": "192.168.1.100"}, b"", "leasequery-refused"),
        ({}, b"", "leasequery-keys"),
        ({"ciaddr": "192.168.1.100"} | by_mac(MAC), b"", "leasequery-keys"),
        ({"ciaddr": "192.168.1.100"}, ID, "leasequery-keys"),
        (by_mac(MAC), ID, "leasequery-keys"),
    ],
)
def test_what_is_not_answered(fields: dict[str, Any], client_id: bytes, name: str) -> None:
    """R4388-6.3-02, R4388-6.4.3-01, R4388-7-01"""
    table = Asked()
    table.have(ip(100))
    assert table.sends(client_id=client_id, **fields) == []
    assert table.engine.drops == {name: 1}


def test_a_server_that_nobody_may_ask_is_silent() -> None:
    """R4388-5-01"""
    table = Asked(relays=())
    assert table.sends(ciaddr=ip_text(ip(100))) == []
    assert table.engine.drops == {"unserved-type": 1}


def test_what_changes_is_followed_and_nothing_is_written() -> None:
    """A lease that is granted, released and granted to another client, by the server's own road."""
    table = Asked()
    assert kind_of(table.say(selecting(ip(100)))) == "ACK"
    assert kind(table.ask(**by_mac(MAC))) == "ACTIVE"
    before = list(table.store.history())
    table.later(4000)
    assert kind(table.ask(**by_mac(MAC))) == "UNKNOWN"
    assert kind_of(table.say(selecting(ip(100), mac=OTHER_MAC))) == "ACK"
    assert kind(table.ask(**by_mac(MAC))) == "UNKNOWN"
    assert table.ask(**by_mac(OTHER_MAC)).ciaddr == ip_text(ip(100))
    assert len(list(table.store.history())) == len(before) + 1


def test_the_options_are_those_that_the_circuit_gets() -> None:
    """R4388-6.4.2-10"""
    row = Reservation("circuit-id", b"port-7", hostname="seven", parameters=OFFICE.parameters)
    row = replace(row, parameters=replace(row.parameters, options={15: b"seven.example"}))
    table = Asked(replace(OFFICE, reservations=(row,)))
    table.have(ip(100), relay=INFO)
    table.have(ip(101), mac=OTHER_MAC)
    assert options(table.ask(ciaddr=ip_text(ip(100))))[15] == b"seven.example"
    assert options(table.ask(ciaddr=ip_text(ip(101))))[15] == b"example.org"


def test_giaddr_neither_restricts_nor_chooses() -> None:
    """R4388-6.3-03: the asking relay lies in no network at all, or in another than the lease."""
    table = Asked(relays=(ACCESS, ip(7)))
    table.have(ip(100))
    (send,) = table.sends(giaddr=ip_text(ip(7)), **by_mac(MAC))
    assert (send.destination, kind(BOOTP(send.payload))) == (ip(7), "ACTIVE")


def test_other_relays_may_ask_after_a_reload() -> None:
    table = Asked(relays=())
    table.have(ip(100))
    table.engine.reconfigure(table.engine.prepare((table.network,), table.now, (ACCESS,)))
    assert kind(table.ask(**by_mac(MAC))) == "ACTIVE"


def test_long_answers_lose_the_relay_information_rather_than_fail() -> None:
    table = Asked()
    table.have(ip(100), b"\0" + bytes(200), relay=encode_suboptions({1: bytes(250), 2: bytes(90)}))
    got = options(table.ask(ciaddr=ip_text(ip(100))))
    assert 82 not in got
    assert len(got[61]) == 201
