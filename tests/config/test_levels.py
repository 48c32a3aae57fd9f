"""Parameters, pools, classes and reservations at every level: what good files become, and what is said of bad ones."""

from pathlib import Path

import pytest

from relet.config.load import parse
from relet.errors import ConfigError
from relet.model.network import Network, Pool, Reservation, Settings
from relet.model.ranges import Ranges
from relet.wire.address import parse_ip

LEVELS = """
[server]
lease-time = "1h"
probe = "arp"
nearly-full = 0.5
next-server = "10.0.0.2"
leasequery = ["10.0.9.1"]
user = "relet"
group = "dhcp"
metrics = "127.0.0.1:9547"
sync = "interval"
force = ["time-offset"]

[[class]]
name = "phones"
test = 'vendor-class starts-with "phone"'
boot-file = "phone.bin"
options = { tftp-server-name = "phones" }

[[class]]
name = "staff"
refuse = false
lease-time = "infinite"

[[reservation]]
option = { uuid-guid = { hex = "00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:10" } }
classes = ["staff"]

[[network]]
name = "a"
interfaces = ["eth0"]
deny = ["phones"]
probe-wait = "200ms"
nearly-full = 0.8
server-name = "boot"

[[network.subnet]]
prefix = "10.0.0.0/24"
pools = ["10.0.0.10-10.0.0.19", "10.0.0.20-10.0.0.29"]
exclude = ["10.0.0.15", "10.0.0.102-10.0.0.103"]
max-lease-time = "2h"
force = ["routers"]

[[network.subnet.pool]]
range = "10.0.0.100-10.0.0.109"
ranges = ["10.0.0.120"]
exclude = ["10.0.0.109"]
allow = ["phones", "staff"]
boot-file = "pool.bin"

[[network.reservation]]
hostname = "Printer.example.org"
address = "10.0.0.5"
shared = true

[[network.reservation]]
subscriber-id = "sub 7"
address = "10.0.0.5"
hostname = "seven"
shared = true
lease-time = 600
"""


@pytest.fixture(scope="module")
def settings() -> Settings:
    return parse(LEVELS, "levels.toml", Path("/etc"))


@pytest.fixture(scope="module")
def network(settings: Settings) -> Network:
    (only,) = settings.networks
    return only


def test_of_the_server(settings: Settings) -> None:
    assert settings.leasequery == (parse_ip("10.0.9.1"),)
    assert (settings.user, settings.group, settings.metrics) == ("relet", "dhcp", (parse_ip("127.0.0.1"), 9547))
    assert settings.sync == "interval"
    assert settings.files == ("levels.toml",)


def test_policies_of_the_server_hold_where_a_network_is_silent(network: Network) -> None:
    assert (network.probe, network.probe_wait, network.nearly_full) == ("arp", 0.2, 0.8)


def test_parameters_come_down_to_the_pools(network: Network) -> None:
    (subnet,) = network.subnets
    short, table = subnet.pools
    for pool in (short, table):
        said = pool.parameters
        assert (said.lease_time, said.max_lease_time) == (3600, 7200)
        assert (said.next_server, said.server_name) == (parse_ip("10.0.0.2"), b"boot")
        assert said.force == {2, 3}
    assert (short.parameters.boot_file, table.parameters.boot_file) == (None, b"pool.bin")


def test_pools_are_less_what_is_excluded(network: Network) -> None:
    short, table = network.subnets[0].pools
    assert str(short.addresses) == "10.0.0.10-10.0.0.14, 10.0.0.16-10.0.0.29"
    assert str(table.addresses) == "10.0.0.100-10.0.0.101, 10.0.0.104-10.0.0.108, 10.0.0.120"
    assert (table.allow, table.deny, network.deny) == (("phones", "staff"), (), ("phones",))


def test_classes_are_those_of_the_file_in_its_order(network: Network) -> None:
    phones, staff = network.classes
    assert (phones.name, staff.name) == ("phones", "staff")
    assert phones.test is not None
    assert staff.test is None
    assert phones.parameters.boot_file == b"phone.bin"
    assert phones.parameters.options == {66: b"phones"}
    assert phones.parameters.lease_time is None  # what the server says is no business of a class


def test_reservations_name_clients_in_every_way(network: Network) -> None:
    by_name, by_subscriber = network.reservations
    assert by_name == Reservation("hostname", b"printer.example.org", parse_ip("10.0.0.5"), "Printer.example.org")
    assert (by_subscriber.by, by_subscriber.key, by_subscriber.hostname) == ("subscriber-id", b"sub 7", "seven")
    assert by_subscriber.parameters.lease_time == 600
    (everywhere,) = network.everywhere
    assert everywhere == Reservation("option-97", bytes(range(17)), classes=("staff",))


def test_a_pool_of_everything_is_less_what_no_client_may_have() -> None:
    text = LEVELS.replace('range = "10.0.0.100-10.0.0.109"', 'range = "10.0.0.128/25"')
    pool: Pool = parse(text, "", Path()).networks[0].subnets[0].pools[1]
    assert pool.addresses == Ranges.of(
        [(parse_ip("10.0.0.120"), parse_ip("10.0.0.120")), (parse_ip("10.0.0.128"), parse_ip("10.0.0.254"))]
    )


GOOD = """\
[server]
store = "memory:"
[[class]]
name = "c"
[[network]]
name = "a"
interfaces = ["eth0"]
[[network.subnet]]
prefix = "10.0.0.0/24"
[[network.subnet.pool]]
range = "10.0.0.10-10.0.0.20"
[[network.reservation]]
mac = "52:54:00:00:00:01"
address = "10.0.0.10"
[[reservation]]
client-id = "x"
address = "10.0.0.11"
"""
POOL = 'network "a", subnet 10.0.0.0/24, pool 10.0.0.10-10.0.0.20'
KEPT = 'network "a", reservation 10.0.0.10'
ALL = "reservation 10.0.0.11"
WAYS = "mac, client-id, circuit-id, remote-id, subscriber-id, option, hostname"


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(text, "f", Path("/etc"))
    return [str(problem) for problem in caught.value.problems]


def test_the_base_is_good() -> None:
    assert parse(GOOD, "f", Path("/etc")).networks[0].classes


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("memory:\"", "memory:\"\nprobe-wait = '1h'",
         "f:3: [server]: probe-wait: '1h' is not a short time; write '500ms', '1s' or a number of seconds"),
        ("memory:\"", "memory:\"\nprobe-wait = 60",
         "f:3: [server]: probe-wait: 60 is not between 0 and 10 seconds; write '500ms'"),
        ("memory:\"", "memory:\"\nlimit-per-circuit = 0",
         "f:3: [server]: limit-per-circuit: 0 is not a number from 1 on; leave it out for no limit"),
        ("memory:\"", "memory:\"\nclient-rate = 0",
         "f:3: [server]: client-rate: 0 is not a number above 0; leave it out for no limit"),
        ("memory:\"", "memory:\"\nhostname-pattern = 'dhcp'",
         "f:3: [server]: hostname-pattern: 'dhcp' would give all clients one name; write it with {address}, as"
         " 'dhcp-{address}'"),
        ("memory:\"", "memory:\"\nhostname-pattern = '_{address}'",
         "f:3: [server]: hostname-pattern: '_192-168-100-100' is not a host name; write letters, digits and hyphens, such"
         " as 'printer-2'"),
        ("memory:\"", "memory:\"\nmetrics = '9547'",
         "f:3: [server]: metrics: '9547' is no address with a port; write '127.0.0.1:9547'"),
        ("memory:\"", f"memory:\"\nboot-file = '{'x' * 128}'",
         f"f:3: [server]: boot-file: '{'x' * 128}' has 128 octets, its field takes 127; set the option 'boot-file-name'"),
        ("memory:\"", f"memory:\"\nserver-name = '{'x' * 64}'",
         f"f:3: [server]: server-name: '{'x' * 64}' has 64 octets, its field takes 63; set the option 'tftp-server-name'"),
        ("memory:\"", "memory:\"\nforce = ['router']",
         "f:3: [server]: unknown option 'router'; did you mean 'routers'?"),
        ("memory:\"", "memory:\"\nforce = ['dhcp-lease-time']",
         "f:3: [server]: option 'dhcp-lease-time' is set by the server itself; set 'lease-time' of the network"),
        ("memory:\"", "memory:\"\nmin-lease-time = '9h'",
         "f:3: [server]: min-lease-time is longer than lease-time; shorten it"),
        ("10.0.0.20\"", "10.0.0.20\"\nallow = ['d']",
         f"f:12: {POOL}: there is no class 'd'; write [[class]] with name = \"d\""),
        ("name = \"c\"", "name = \"c\"\n[[class]]\nname = \"c\"",
         "f:6: class \"c\": the class is in line 3 already; give it another name, or join the two tests by 'or'"),
        ("name = \"c\"", "", "f:3: class 1: 'name' is missing; write name = \"phones\""),
        ("name = \"c\"", "name = \"c d\"",
         "f:4: class \"c d\": name: 'c d' is not the name of a class; write letters, digits and hyphens, such as 'phones'"),
        ("range = \"10.0.0.10-10.0.0.20\"", "",
         "f:10: network \"a\", subnet 10.0.0.0/24, pool 1: has no addresses; write range = \"192.168.1.100-192.168.1.199\""),
        ("10.0.0.20\"", "10.0.0.20\"\nexclude = ['10.0.0.0/24']",
         f"f:12: {POOL}: everything is excluded; leave the pool out"),
        ("10.0.0.20\"", "10.0.0.20\"\nexclude = ['10.0.1.1']",
         f"f:12: {POOL}: exclude 10.0.1.1 is not inside the prefix; the prefix holds 10.0.0.0-10.0.0.255"),
        ("10.0.0.20\"", "10.0.0.20\"\nranges = ['10.0.0.20-10.0.0.30']",
         f"f:12: {POOL}: pool 10.0.0.20-10.0.0.30 overlaps with pool 10.0.0.10-10.0.0.20; join the two"),
        ("10.0.0.20\"", "10.0.0.20\"\nlease-time = '1h'\nmax-lease-time = '30m'",
         f"f:13: {POOL}: max-lease-time is shorter than lease-time; lengthen it"),
        ("mac = ", "option = { host-name = 'x', routers = '10.0.0.1' }\n#",
         f"f:13: {KEPT}: option: 2 options are named; write one, such as"
         " option = { vendor-class-identifier = \"phone\" }"),
        ("mac = ", "option = { x = 'x' }\n#",
         f"f:13: {KEPT}: unknown option 'x'; write 'option-NUMBER', or make it by an [[option]] table"),
        ("mac = ", "#", f"f:12: {KEPT}: names no client; write one of {WAYS}"),
        ("mac = ", "client-id = 'x'\nmac = ",
         f"f:12: {KEPT}: names its client by mac and client-id; write one of {WAYS}"),
        ("address = \"10.0.0.10\"", "",
         "f:12: network \"a\", reservation 1: reserves nothing; write address, hostname, classes, options or another setting"
         " for it"),
        ("address = \"10.0.0.10\"", "hostname = 'x'\nshared = true",
         "f:15: network \"a\", reservation x: shares no address; write address or leave shared out"),
        ("10.0.0.11", "10.0.0.10",
         "f:17: reservation 10.0.0.10: the address is reserved in line 14 already; reserve it once, or write shared = true"
         " in each of them"),
        ("10.0.0.11", "10.7.0.10",
         "f:17: reservation 10.7.0.10: lies in no subnet of any network; write an address of one of them, or leave it out"),
        ("10.0.0.11", "10.0.0.255",
         "f:17: reservation 10.0.0.255: is the broadcast address of its subnet; reserve another address"),
        ("10.0.0.20\"", "10.0.0.20\"\noptions = { routers = '10.0.0.15' }",
         f"f:11: {POOL}: pool 10.0.0.10-10.0.0.20 contains the gateway 10.0.0.15; write 10.0.0.10-10.0.0.14,"
         " 10.0.0.16-10.0.0.20"),
        ("10.0.0.20\"", "10.0.0.20\"\nallow = ['c']\ndeny = ['c']",
         f"f:13: {POOL}: class 'c' is under allow and under deny; leave it out of one"),
        ("[\"eth0\"]", "[\"eth0\"]\nallow = ['c']\ndeny = ['c']",
         "f:9: network \"a\": class 'c' is under allow and under deny; leave it out of one"),
        ("name = \"c\"", "name = \"c\"\nrefuse = true\n[[network]]\nname = 'b'\ninterfaces = ['b']\nallow = ['c']\n"
         "[[network.subnet]]\nprefix = '10.1.0.0/24'",
         "f:9: network \"b\": class 'c' is refused, so nobody is let in by it; leave one of the two out"),
        ("52:54:00:00:00:01", "01:00:5e:00:00:01",
         f"f:13: {KEPT}: mac: '01:00:5e:00:00:01' is the address of no single host; write one such as '52:54:00:12:34:56'"),
        ("52:54:00:00:00:01", "00:00:00:00:00:00",
         f"f:13: {KEPT}: mac: '00:00:00:00:00:00' is the address of no single host; write one such as '52:54:00:12:34:56'"),
        ("memory:\"", "memory:\"\nforce = ['v6-only-preferred']",
         "f:3: [server]: option 'v6-only-preferred' is forced (RFC 8925 s3.3: only to clients that ask for it); leave it out"
         " of force"),
        ("memory:\"", "memory:\"\noptions = { v6-only-preferred = 60 }",
         "f:3: [server]: option v6-only-preferred: 60 is less than 300 (RFC 8925 s3.4); write 300 or more"),
        ("memory:\"", "memory:\"\noptions = { interface-mtu = 15 }",
         "f:3: [server]: option interface-mtu: 15 is less than 68 (RFC 2132 s5.1); write 68 or more"),
        ("memory:\"", f"memory:\"\noptions = {{ domain-name = '{'x' * 1300}' }}",
         "f:3: [server]: the options need 1312 octets, and a message in one frame has room for 1232; write less, or set less"
         " here"),
        ("memory:\"", "memory:\"\noptions = { routers = '10.9.0.1' }",
         "f:9: network \"a\", subnet 10.0.0.0/24: router 10.9.0.1 lies in no subnet of the network, so no client can reach"
         " it; write a router on the link"),
        ("memory:\"", "memory:\"\noptions = { domain-name-servers = ['10.9.0.1', '10.0.0.12'] }",
         "f:9: network \"a\", subnet 10.0.0.0/24: a pool contains 10.0.0.12, which is a name server; write"
         " exclude = [\"10.0.0.12\"] in the subnet, or reserve it for that host"),
        ("memory:\"", "memory:\"\nlisten = ['10.0.0.12']",
         "f:9: network \"a\", subnet 10.0.0.0/24: a pool contains 10.0.0.12, which is an address of this machine (listen);"
         " write exclude = [\"10.0.0.12\"] in the subnet, or reserve it for that host"),
        ("[\"eth0\"]", "[\"eth0\"]\nrelays = ['10.0.0.12']",
         "f:9: network \"a\", subnet 10.0.0.0/24: a pool contains 10.0.0.12, which is a relay; write"
         " exclude = [\"10.0.0.12\"] in the subnet, or reserve it for that host"),
        ("[\"eth0\"]", "[\"eth0\"]\nnext-server = '10.0.0.12'",
         "f:9: network \"a\", subnet 10.0.0.0/24: a pool contains 10.0.0.12, which is the boot server (next-server); write"
         " exclude = [\"10.0.0.12\"] in the subnet, or reserve it for that host"),
        ("address = \"10.0.0.10\"", "address = '10.0.0.10'\nhostname = 'x'\n[[network.reservation]]\nclient-id = 'y'\n"
         "address = '10.0.0.13'\nhostname = 'X'",
         "f:19: network \"a\", reservation 10.0.0.13: the hostname is reserved in line 15 already; give it another name"),
    ],
)  # fmt: skip
def test_one_thing_wrong(old: str, new: str, said: str) -> None:
    text = GOOD.replace(old, new, 1)
    assert text != GOOD
    assert problems(text) == [said]


def test_times_are_compared_with_what_is_inherited() -> None:
    text = GOOD.replace('memory:"', 'memory:"\nmin-lease-time = "1h"').replace('0.20"', '0.20"\nlease-time = "30m"')
    assert problems(text) == [
        f"f:13: {POOL}: min-lease-time is longer than lease-time; set min-lease-time here too, no longer than lease-time"
    ]
    text = text.replace("min-lease", "max-lease").replace("1h", "9h").replace("30m", "1d")
    assert problems(text) == [
        f"f:13: {POOL}: max-lease-time is shorter than lease-time; set max-lease-time here too, no shorter than lease-time"
    ]


def test_a_client_is_reserved_once_everywhere() -> None:
    again = '[[reservation]]\nclient-id = "x"\nclasses = ["c", "b"]\n'
    assert problems(GOOD + again) == [
        "f:19: reservation 2: the client has a reservation in line 16 already; a client has one reservation for everywhere;"
        " write others under [[network.reservation]]",
        "f:20: reservation 2: there is no class 'b'; write [[class]] with name = \"b\"",
    ]


@pytest.mark.parametrize(
    ("classes", "said"),
    [
        ("test = 'in-class \"d\"'", "test: there is no class 'd'; write [[class]] with name = \"d\""),
        (
            "test = 'in-class \"late\"'\n[[class]]\nname = \"late\"\ntest = 'mac == 02:00:00:00:00:01'",
            "test: class 'late' does not stand before this one; a test may ask for classes that stand earlier in the file",
        ),
    ],
)
def test_a_test_asks_for_earlier_classes(classes: str, said: str) -> None:
    assert problems(GOOD.replace('name = "c"', f'name = "c"\n{classes}')) == [f'f:5: class "c": {said}']


def test_built_in_classes_may_be_named_and_not_made() -> None:
    text = LEVELS.replace('allow = ["phones", "staff"]', 'allow = ["phones", "known", "random-mac"]')
    assert text != LEVELS
    assert parse(text, "", Path()).networks[0].subnets[0].pools[1].allow == ("phones", "known", "random-mac")
    with pytest.raises(ConfigError) as caught:
        parse(LEVELS.replace("phones", "known"), "", Path())
    assert "the server itself knows a class 'known'" in str(caught.value)


def test_servers_with_a_reservation_may_lie_in_a_pool() -> None:
    text = GOOD.replace('memory:"', 'memory:"\noptions = { domain-name-servers = "10.0.0.10" }')
    assert parse(text, "f", Path("/")).networks


def test_a_pool_of_everything_spares_the_servers() -> None:
    text = GOOD.replace("10.0.0.10-10.0.0.20", "10.0.0.8/29").replace(
        'memory:"', 'memory:"\noptions = { domain-name-servers = "10.0.0.12" }\nlisten = ["10.0.0.15"]'
    )
    (pool,) = parse(text, "f", Path("/")).networks[0].subnets[0].pools
    assert str(pool.addresses) == "10.0.0.8-10.0.0.11, 10.0.0.13-10.0.0.14"


def test_the_router_of_a_single_address_is_elsewhere() -> None:
    text = '[server]\nlisten = ["10.9.0.1"]\n[[network]]\nname = "a"\n[[network.subnet]]\nprefix = "10.0.0.1/32"\n'
    assert parse(text + 'pools = ["10.0.0.1"]\noptions = { routers = "10.9.9.9" }', "f", Path("/")).networks
