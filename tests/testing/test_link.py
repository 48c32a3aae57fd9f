"""A link in memory: what servers and clients on it do, what goes wrong if it is told to, and that a seed decides it all."""

import hashlib
import subprocess
import sys
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from relet.client import Check, ClientSettings, Timing
from relet.errors import ConfigError
from relet.lab.ether import DELAY, Frame
from relet.testing import DhcpLink, ServerPlan
from relet.testing.tape import MAX_FRAMES
from relet.wire.message import Message
from relet.wire.options import MessageType
from relet.wire.summary import LABELS

HOUR = 3600.0


def office(link: DhcpLink | None = None) -> DhcpLink:
    """A link with a server."""
    link = link or DhcpLink()
    link.server(pool="192.168.1.100-192.168.1.109", lease_time="8h")
    return link


def digest(link: DhcpLink) -> str:
    """Everything that passed, and when."""
    return hashlib.sha256(repr([(frame.at, frame.source, frame.octets) for frame in link.frames]).encode()).hexdigest()


def busy(seed: int) -> DhcpLink:
    """A link on which much goes wrong."""
    link = office(DhcpLink(seed))
    link.lose(0.2)
    link.delay("DHCPACK", 1.5, times=3)
    for _ in range(4):
        link.client()
    link.run(HOUR)
    return link


def test_a_lease_says_what_the_server_was_told() -> None:
    link = DhcpLink()
    link.server(
        ServerPlan(
            address="10.0.0.1",
            prefix="10.0.0.0/22",
            pools=["10.0.2.5-10.0.2.9"],
            lease_time=7200,
            options={
                "routers": ["10.0.0.1", "10.0.0.2"],
                "domain-name-servers": ["10.0.0.3"],
                "ntp-servers": ["10.0.0.4"],
                "domain-name": "example.org",
                "domain-search": ["a.example.org", "b.example.org"],
                "interface-mtu": 1400,
                "classless-static-route": ["172.16.0.0/12 via 10.0.0.9"],
            },
        )
    )
    lease = link.client().wait_for("bound")
    assert lease is not None
    assert (str(lease.interface), str(lease.prefix), str(lease.server)) == ("10.0.2.5/22", "10.0.0.0/22", "10.0.0.1")
    assert [str(each) for each in (*lease.routers, *lease.dns, *lease.ntp)] == [
        "10.0.0.1",
        "10.0.0.2",
        "10.0.0.3",
        "10.0.0.4",
    ]
    assert (lease.domain, lease.search, lease.mtu) == ("example.org", ("a.example.org", "b.example.org"), 1400)
    assert [(str(prefix), str(router)) for prefix, router in lease.routes] == [
        ("172.16.0.0/12", "10.0.0.9"),
        ("0.0.0.0/0", "10.0.0.1"),
    ]
    assert lease.expires - lease.granted == 7200
    assert lease.options[1] == b"\xff\xff\xfc\x00"


def test_leases_from_the_start_are_there_and_run_out() -> None:
    link = DhcpLink()
    server = link.server(leases={"192.168.1.100": "52:54:00:00:00:99", "192.168.1.101": "id 00:61"}, lease_time="1h")
    assert server.held == {"192.168.1.100": "mac 52:54:00:00:00:99", "192.168.1.101": "id 00:61"}
    link.run(2 * HOUR)
    assert server.held == {}
    assert [row.state for row in server.leases] == ["bound", "bound"]


def test_a_client_remembers_over_a_reboot_and_forgets_what_it_released() -> None:
    link = office()
    client = link.client(hostname="laptop")
    client.wait_for("bound")
    client.crash()
    assert (client.state, client.lease, client.dropped) == ("off", None, {})
    assert [str(lease.address) for lease in client.remembered] == ["192.168.1.100"]
    client.start()
    client.wait_for("bound")
    client.release()
    link.run(1)
    assert (client.state, client.remembered) == ("stopped", [])
    (row,) = link.servers[0].leases
    assert (row.state, row.held, row.hostname) == ("released", False, "laptop")
    assert [answer for answer in link.servers[0].answers if answer[0] != "DISCOVER"] == [
        ("SELECTING", "ACK", "granted"),
        ("INIT-REBOOT", "ACK", "confirmed"),
        ("RELEASE", "SILENT", "released"),
    ]


def test_a_remembered_address_is_asked_for() -> None:
    link = DhcpLink()
    link.server(ServerPlan(network={"unknown-reboot": "adopt"}))
    client = link.client(remembered="192.168.1.150/24")
    assert str(client.remembered[0].interface) == "192.168.1.150/24"
    assert str(client.remembered[0].server) == "192.168.1.1"
    client.wait_for("bound")
    assert link.servers[0].answers[0] == ("INIT-REBOOT", "ACK", "adopted")


def test_settings_are_the_clients() -> None:
    link = office()
    settings = ClientSettings(mac=b"\2\0\0\0\0\7", client_id=b"\0abc", check_new=Check.OFF, hostname="quick")
    client = link.client(settings=settings)
    client.wait_for("bound", seconds=1)
    assert client.mac == b"\2\0\0\0\0\7"
    assert link.servers[0].held == {"192.168.1.100": "id 00:61:62:63"}
    other = link.client(settings=settings, mac="02:00:00:00:00:08", hostname="other")
    assert (other.mac[-1], other.host.settings.hostname, other.host.settings.check_new) == (8, "other", Check.OFF)


def test_a_server_that_starts_again_may_have_another_plan() -> None:
    link = office()
    client = link.client()
    client.wait_for("bound")
    server = link.servers[0]
    server.stop()
    assert not server.running
    server.start(replace(server.plan, pools=["192.168.1.200-192.168.1.209"]))
    client.reboot()
    lease = client.wait_for("bound")
    assert lease is not None
    assert str(lease.address) == "192.168.1.200"
    assert ("INIT-REBOOT", "NAK", "no-longer-offered") in server.answers
    assert server.answers[0] == ("DISCOVER", "OFFER", "offered-new")  # what it said before it was stopped


def test_what_is_wrong_in_a_plan_is_said_with_what_to_write_instead() -> None:
    with pytest.raises(ConfigError, match=r"<server-1>:\d+: .*pool") as caught:
        DhcpLink().server(pool="192.168.2.1-192.168.2.9")
    assert len(caught.value.problems) == 1
    with pytest.raises(ConfigError, match="unknown-reboot"):
        DhcpLink().server(ServerPlan(network={"unknown-rebot": "nak"}))
    with pytest.raises(ValueError, match="is no client"):
        DhcpLink().server(leases={"192.168.1.100": "somebody"})


def test_two_servers_on_a_link_and_one_elsewhere() -> None:
    link = office()
    second = link.server(address="192.168.1.2", pool="192.168.1.200-192.168.1.209")
    elsewhere = link.server(ServerPlan(address="10.1.1.1", pools=["10.1.1.50-10.1.1.59"]), network="elsewhere")
    link.client().wait_for("bound")
    assert [answer[1] for answer in second.answers] == ["OFFER", "SILENT"]
    assert elsewhere.answers == []
    far = link.client(network="elsewhere")
    far.wait_for("bound")
    assert str(far.lease.address if far.lease else "") == "10.1.1.50"


def test_a_cable_is_pulled_and_plugged_in_elsewhere() -> None:
    link = office()
    client = link.client()
    client.wait_for("bound")
    client.unplug()
    assert (client.state, client.lease) == ("link-down", None)
    link.server(ServerPlan(address="10.1.1.1", pools=["10.1.1.50-10.1.1.59"]), network="elsewhere")
    client.plug("elsewhere")
    client.wait_for("bound")
    client.unplug()
    client.plug()
    lease = client.wait_for("bound")
    assert [str(lease.address if lease else "")] == ["192.168.1.100"]
    assert {str(each.address) for each in client.remembered} == {"192.168.1.100", "10.1.1.50"}


def test_a_client_that_is_told_to_renews() -> None:
    link = office()
    client = link.client()
    before = client.wait_for("bound")
    link.run(60)
    client.renew()
    link.wait_until(lambda: client.state == "bound")
    assert before is not None
    assert client.lease is not None
    assert client.lease.expires > before.expires
    client.stop()
    assert client.state == "stopped"
    assert client.lease is None
    assert len(client.remembered) == 1


@pytest.mark.parametrize(
    ("fault", "sent"),
    [
        (lambda _: None, {"DHCPDISCOVER": 1, "DHCPOFFER": 1, "DHCPREQUEST": 1, "DHCPACK": 1}),
        (lambda link: link.drop("DHCPDISCOVER", times=2), {"DHCPDISCOVER": 3, "DHCPOFFER": 1}),
        (lambda link: link.drop("DHCPOFFER", times=1), {"DHCPDISCOVER": 2, "DHCPOFFER": 2, "DHCPREQUEST": 1}),
        (lambda link: link.drop("DHCPACK", source="server-1", times=1), {"DHCPREQUEST": 2, "DHCPACK": 2}),
        (lambda link: link.drop("DHCPACK", source="server-9"), {"DHCPREQUEST": 1, "DHCPACK": 1}),
        (lambda link: link.delay("DHCPOFFER", 20.0, times=1), {"DHCPDISCOVER": 2, "DHCPOFFER": 2}),
        (lambda link: link.duplicate("DHCPDISCOVER"), {"DHCPDISCOVER": 1, "DHCPOFFER": 2}),
        (lambda link: link.duplicate("DHCPREQUEST", 0.1, times=1), {"DHCPREQUEST": 1, "DHCPACK": 2}),
    ],
    ids=["none", "question lost", "answer lost", "ACK lost", "another's lost", "late", "doubled", "doubled later"],
)
def test_faults(fault: Callable[[DhcpLink], None], sent: dict[str, int]) -> None:
    """A frame that is doubled under way was sent once."""
    link = office()
    fault(link)
    link.client().wait_for("bound")
    assert {label: len(link.messages(label)) for label in sent} == sent


def test_what_was_delayed_may_be_overtaken() -> None:
    link = office()
    heard: list[str] = []

    def hear(payload: bytes) -> list[bytes]:
        heard.append(payload.hex())
        return []

    station = link.station(hear)
    link.delay("DHCPOFFER", 1.0, times=1)
    other = link.station(port=67, address="192.168.1.9")
    for xid in (1, 2):
        other.send(Message(op=2, xid=xid, chaddr=station.mac, options={53: bytes([MessageType.OFFER])}))
    link.run(2)
    assert [octets[8:16] for octets in heard] == ["00000002", "00000001"]


def test_messages_are_changed_lost_and_doubled_under_way() -> None:
    link = office()
    changes: list[list[Message]] = []

    def change(offer: Message) -> list[Message]:
        wrong = replace(offer, xid=offer.xid ^ 0xFF)
        changes.append([wrong, wrong, offer])
        return changes[-1]

    link.alter("DHCPOFFER", change, times=1)
    client = link.client()
    client.wait_for("bound")
    assert client.dropped == {"other-xid": 2}
    assert len(changes) == 1
    link.alter("DHCPACK", lambda ack: replace(ack, options=ack.options | {51: bytes(4)}))
    client.renew()
    link.run(1)
    assert client.dropped == {"other-xid": 2, "short-lease-time": 1}
    assert client.state == "renewing"


def test_a_link_heals() -> None:
    link = office()
    link.drop()
    client = link.client()
    link.run(30)
    assert client.state == "selecting"
    link.heal()
    client.wait_for("bound")


def test_a_share_of_all_frames_is_lost() -> None:
    assert busy(1).frames
    link = office()
    link.lose(1.0)
    client = link.client()
    link.run(HOUR)
    assert {source for source, _ in link.sent} == {"client-1"}
    assert client.state == "selecting"


def test_hooks_see_every_frame_in_order() -> None:
    link = office()
    seen: list[Frame] = []

    @link.on_frame
    def look(frame: Frame) -> list[Frame]:
        seen.append(frame)
        return [frame]

    link.client().wait_for("bound")
    assert seen == link.frames
    assert {frame.delay for frame in seen} == {DELAY}
    assert {frame.network for frame in seen} == {"link"}
    assert callable(look)
    assert link.random is link.random


def test_one_seed_one_story() -> None:
    assert digest(busy(1)) == digest(busy(1)) != digest(busy(2))


def test_the_order_of_pythons_sets_has_no_part_in_it() -> None:
    code = "from test_link import busy, digest; print(digest(busy(3)))"
    stories = set()
    for seed in ("1", "2"):
        ran = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join([*sys.path, __file__.rpartition("/")[0]])},
            capture_output=True,
            text=True,
            check=True,
        )
        stories.add(ran.stdout)
    assert stories == {digest(busy(3)) + "\n"}


def test_time_is_the_tests_own() -> None:
    link = DhcpLink()
    assert (link.now, link.wall) == (0.0, 1_700_000_000.0)
    link.run(90)
    assert (link.now, link.wall) == (90.0, 1_700_000_090.0)
    with pytest.raises(AssertionError, match="dinner did not come to be within 5 s"):
        link.wait_until(lambda: False, seconds=5, what="dinner")
    assert link.now == 95.0


def test_waiting_in_vain_says_where_the_client_is() -> None:
    client = DhcpLink().client(settings=ClientSettings(mac=b"\2\0\0\0\0\1", timing=Timing(start_delay=0.0)))
    with pytest.raises(
        AssertionError, match=r"client-1 is selecting after 10 s, not bound or renewing; it was .*selecting"
    ):
        client.wait_for("bound", "renewing", seconds=10)
    with pytest.raises(ValueError, match=r"\['bond'\] are no states; there are \[.*'bound'"):
        client.wait_for("bond")


def test_notes_are_the_operators() -> None:
    link = office()
    link.neighbour("192.168.1.100")
    client = link.client()
    client.wait_for("bound")
    assert [note.partition(":")[0] for note in client.notes] == ["conflict"]


def test_a_server_says_why() -> None:
    link = office()
    client = link.client(remembered="172.16.0.9/24")
    client.wait_for("bound")
    newest, *_, first = link.servers[0].why(client.mac)
    assert (newest.answer, first.answer, first.reason) == ("ACK", "NAK", "wrong-network")
    assert link.servers[0].why(b"\2\2\2\2\2\2") == []


def test_the_ladder_has_all_that_matters() -> None:
    link = office()
    link.server(address="192.168.1.2", pool="192.168.1.200-192.168.1.209")
    link.neighbour("192.168.1.100", name="squatter")
    link.drop("DHCPOFFER", source="server-2")
    link.client().wait_for("bound")
    link.run(10)
    ladder = link.ladder("A taken address")
    for text in (
        "A taken address", "client-1", "server-1", "server-2", "squatter", "◆ BOUND", "DHCPDECLINE", "ARP reply", "✗",
        "because", "keeps silent",
    ):  # fmt: skip
        assert text in ladder
    assert DhcpLink().ladder() == ""
    assert DhcpLink(seed=4).report() == ("DHCP exchange (seed 4)", "nothing was sent")


def test_a_long_story_and_many_hosts_are_cut_and_that_is_said() -> None:
    link = office()
    for _ in range(6):
        link.client()
    link.run(60 * HOUR)
    ladder = link.ladder()
    head = ladder.partition("0 s")[0]
    assert "3 more hosts" in head
    assert "earlier events" in head
    assert "server-1" in head  # who has it all, is not left out for a client
    assert len(ladder.splitlines()) < 400


def test_a_link_remembers_so_many_frames() -> None:
    link = DhcpLink()
    station = link.station()
    for _ in range(MAX_FRAMES + 5):
        station.send(b"x")
    assert len(link.frames) == MAX_FRAMES


def test_hosts_of_one_name_or_hardware_address_are_refused() -> None:
    link = office()
    with pytest.raises(ValueError, match="server-1 is another host's name"):
        link.client(name="server-1")
    with pytest.raises(ValueError, match="its hardware address is server-1's"):
        link.client(mac="52:54:00:5e:00:01")


def test_a_client_does_without_ipv4_where_the_server_says_so() -> None:
    """RFC 8925 s3.2, s3.3: our server offers 0.0.0.0, and our client asks again when the wait is over."""
    link = DhcpLink()
    link.server(pool="192.168.1.100-192.168.1.109", options={"v6-only-preferred": 600})
    client = link.client(settings=ClientSettings(bytes(6), ipv6_only=True), mac="52:54:00:12:34:56")
    client.wait_for("v6-only")
    asked = len(link.frames)
    link.run(590)
    assert len(link.frames) == asked
    link.run(20)
    assert client.state == "v6-only"
    assert len(link.frames) == asked + 2
    other = link.client()
    other.wait_for("bound")


@pytest.mark.parametrize("label", ["DHCPAKC", "dhcpack", "ACK", "ARP"])
def test_a_label_that_no_frame_has_is_an_error_that_lists_the_labels(label: str) -> None:
    link = DhcpLink()
    with pytest.raises(ValueError, match=r"labels are DHCPDISCOVER, .*BOOTP, ARP probe, .*ARP reply"):
        link.drop(label)
    with pytest.raises(ValueError, match=f"no frame is labelled '{label}'"):
        link.delay(label, 1.0)
    with pytest.raises(ValueError, match="labels are"):
        link.alter(label, lambda message: message)


def test_every_label_on_a_link_is_one_of_the_list() -> None:
    link = busy(3)
    link.client(remembered="192.168.1.100/24").wait_for("bound", seconds=HOUR)
    assert {frame.label for frame in link.frames} <= set(LABELS)
    assert {"DHCPACK", "ARP probe", "ARP announcement"} <= {frame.label for frame in link.frames}


def test_a_machine_that_sleeps_neither_hears_nor_sends_and_checks_its_address_when_it_wakes() -> None:
    link = office()
    client = link.client()
    client.wait_for("bound")
    link.run(60)
    sent = len(link.frames)
    client.sleep()
    with pytest.raises(RuntimeError, match="is asleep"):
        client.set_clock(1)
    link.run(2 * HOUR)
    client.renew()  # nobody hears that
    assert (len(link.frames), client.state) == (sent, "bound")
    client.wake()
    assert client.state == "attached"
    assert {("client-1", "DHCPREQUEST"), ("client-1", "ARP probe")} <= set(link.sent[sent:])
    client.wait_for("bound", seconds=1)
    with pytest.raises(RuntimeError, match="is not asleep"):
        client.wake()


def test_a_machine_that_slept_longer_than_its_lease_begins_anew() -> None:
    link = office()
    client = link.client()
    client.wait_for("bound")
    client.sleep()
    link.run(9 * HOUR)
    client.wake()
    assert client.lease is None
    assert any(note.startswith("expired:") for note in client.notes)
    client.wait_for("bound")
    client.sleep()
    client.reboot()
    client.wait_for("bound")


def test_a_clock_that_is_set_dates_the_lease_anew() -> None:
    link = office()
    client = link.client()
    client.wait_for("bound")
    (before,) = client.remembered
    client.set_clock(86400)
    (after,) = client.remembered
    assert after.expires - before.expires == 86400
    link.run(60)
    assert client.state == "bound"
    client.reboot()
    client.wait_for("bound")
    assert client.states[-2:] == ["rebooting", "bound"]
