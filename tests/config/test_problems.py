"""What is wrong with a file: every problem at once, each with its line and what to write instead."""

from pathlib import Path

import pytest

from relet.config.load import load, parse
from relet.errors import ConfigError, Problem

GOOD = """\
[server]
store = "memory:"
[[network]]
name = "a"
interfaces = ["eth0"]
[[network.subnet]]
prefix = "10.0.0.0/24"
pools = ["10.0.0.10-10.0.0.20"]
options = { routers = ["10.0.0.1"] }
[[network.reservation]]
mac = "52:54:00:00:00:01"
address = "10.0.0.10"
"""

SECOND = """\
[[network]]
name = "b"
interfaces = ["eth1"]
relays = ["10.9.0.1"]
[[network.subnet]]
prefix = "10.1.0.0/24"
"""


def problems(text: str) -> list[Problem]:
    with pytest.raises(ConfigError) as caught:
        parse(text, "relet.toml", Path("/etc"))
    return list(caught.value.problems)


def test_the_base_of_these_tests_is_good() -> None:
    assert len(parse(GOOD + SECOND, "relet.toml", Path("/etc")).networks) == 2


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("[server]", "[sever]", 1, "unknown setting 'sever'; did you mean 'server'?"),
        ('store = "memory:"', 'stor = "memory:"', 2, "[server]: unknown setting 'stor'; did you mean 'store'?"),
        ('store = "memory:"', "zzz = 1", 2, "unknown setting 'zzz'; known here: auto-configure, "),
        ("memory:", "postgresql://db/x", 2, "PostgreSQL is not supported yet; write 'sqlite:leases.db'"),
        ("memory:", "leases.db", 2, "'leases.db' is no store"),
        ('store = "memory:"', f'control = "{"x" * 120}"', 2, "too long for a socket"),
        ('store = "memory:"', 'store = "sqlite:relet.db"\ncontrol = "relet.db"', 3,
         "control: /etc/relet.db is the file of the store; write another path such as '/run/relet.sock'"),
        ('["10.0.0.1"]', "[]", 9,
         "option routers: routers has 0 octets, it needs at least 4; write a value, or leave the option out"),
        ('store = "memory:"', "control = false", 2, "control: False is not a text"),
        ('store = "memory:"', "listen = 5", 2, "listen: 5 is not a list; write it in brackets"),
        ('name = "a"', "", 3, "network 1: 'name' is missing; write name ="),
        ('name = "a"', 'name = "b"', 14, 'network "b": the network of line 4 has this name too'),
        ('name = "a"', 'name = "a"\nmatch-client-id = "no"', 5, "not a truth value; write true or false"),
        ('name = "a"', 'name = "a"\nforeign-address = "nack"', 5, "'nack' is not known here; write 'nak' or 'silent'"),
        ('name = "a"', 'name = "a"\nlease-time = "8 h"', 5, "lease-time: '8 h' is not a duration; write '8h'"),
        ('name = "a"', 'name = "a"\nmin-lease-time = "9h"', 5, "min-lease-time is longer than lease-time"),
        ('name = "a"', 'name = "a"\nmax-lease-time = "1h"', 5, "max-lease-time is shorter than lease-time"),
        ('name = "a"', 'name = "a"\nrenew-at = 0.9', 5, "renew-at 0.9 is not before rebind-at 0.875"),
        ('name = "a"', 'name = "a"\nrebind-at = 0.4', 5, "renew-at 0.5 is not before rebind-at 0.4"),
        ('["eth0"]', '["eth1"]', 15, 'network "b": the interface is in line 5 already'),
        ('["eth0"]', '["eth0", "eth0"]', 5, "the interface is in line 5 already"),
        ('["eth0"]', '["eth0"]\nrelays = ["10.9.0.1"]', 17, "the relay is in line 6 already"),
        ("10.9.0.1", "10.0.0.1", 16, 'relay 10.0.0.1 lies in a subnet of network "a"'),
        ('prefix = "10.0.0.0/24"', "", 6, "subnet 1: 'prefix' is missing; write prefix ="),
        ("10.0.0.0/24", "10.0.0.1/24", 7, "prefix: '10.0.0.1/24' has bits set behind its width; write 10.0.0.0/24"),
        ("10.1.0.0/24", "10.0.0.0/25", 18, 'subnet 10.0.0.0/25: overlaps with 10.0.0.0/24 of line 6'),
        ("10.1.0.0/24", "10.0.0.0/8", 18, "overlaps with 10.0.0.0/24 of line 6"),
        ("10.0.0.10-10.0.0.20", "10.0.0.10-10.0.1.20", 8, "pool 10.0.0.10-10.0.1.20 is not inside the prefix"),
        ("10.0.0.10-10.0.0.20", "10.0.0.0-10.0.0.20", 8, "contains the network address 10.0.0.0; write 10.0.0.2-10.0.0.20"),
        ("10.0.0.10-10.0.0.20", "10.0.0.10-10.0.0.255", 8, "the broadcast address 10.0.0.255; write 10.0.0.10-10.0.0.254"),
        ("10.0.0.10-10.0.0.20", "10.0.0.1", 8, "contains the gateway 10.0.0.1; leave it out"),
        ('-10.0.0.20"', '-10.0.0.20",\n"10.0.0.20-10.0.0.30"', 9, "overlaps with pool 10.0.0.10-10.0.0.20; join"),
        ("10.0.0.10-10.0.0.20", "10.0.0.20-10.0.0.10", 8, "ends before it begins; write '10.0.0.10-10.0.0.20'"),
        ("routers", "router", 9, 'subnet 10.0.0.0/24: unknown option \'router\'; did you mean \'routers\'?'),
        ('["10.0.0.1"]', '["gateway"]', 9, "option routers: 'gateway' is not an IPv4 address"),
        ('routers = ["10.0.0.1"]', "option-3 = '10.0.0.1', routers = '10.0.0.1'", 9, "is there twice"),
        ("mac =", "Mac =", 11, "unknown setting 'Mac'; did you mean 'mac'?"),
        ('mac = "52:54:00:00:00:01"', "", 10, "names no client; write one of mac, client-id"),
        ("mac =", 'client-id = "x"\nmac =', 10, "names its client by mac and client-id; write one of"),
        ("00:00:01", "00:00", 11, "reservation 10.0.0.10: mac: '52:54:00:00:00' has 5 octets"),
        ('address = "10.0.0.10"', "", 10, "reservation 1: reserves nothing; write address, hostname, classes, options or"),
        ('address = "10.0.0.10"', 'address = "10.0.1.10"', 12, "lies in none of the network's subnets; have 10.0.0.0/24"),
        ('address = "10.0.0.10"', 'address = "10.0.0.255"', 12, "is the broadcast address of its subnet"),
        ('address = "10.0.0.10"', 'address = "10.0.0.1"', 12, "is the gateway of its subnet"),
        ('address = "10.0.0.10"', 'address = "10.0.0.10"\nhostname = "a b"', 13, "hostname: 'a b' is not a host name"),
        ("[[network.reservation]]", "[network.reservation]", 10, "reservation: is not an array of tables; write"),
    ],
)  # fmt: skip
def test_one_thing_wrong_is_one_problem(old: str, new: str, line: int, says: str) -> None:
    text = (GOOD + SECOND).replace(old, new, 1)
    (problem,) = [each for each in problems(text) if says in str(each)]
    assert problem.file == "relet.toml"
    assert problem.line == line


NAMED = ["dhcp-lease-time", "dhcp-server-identifier", "dhcp-client-identifier", "dhcp-agent-options", "rapid-commit"]
NUMBERED = [f"option-{code}" for code in (0, 255, 61, 82, *range(50, 60))]


@pytest.mark.parametrize("name", NAMED + NUMBERED)
def test_what_the_server_sets_itself_cannot_be_configured(name: str) -> None:
    (problem,) = problems(GOOD.replace("routers", name))
    assert problem.what == f"option '{name}' is set by the server itself"
    assert problem.instead


@pytest.mark.parametrize(
    ("twice", "line", "says"),
    [
        ('mac = "52:54:00:00:00:01"\naddress = "10.0.0.11"\n', 14, "the client has a reservation in line 11 already"),
        ('mac = "52:54:00:00:00:02"\naddress = "10.0.0.10"\n', 15, "the address is reserved in line 12 already"),
    ],
)
def test_a_reservation_twice(twice: str, line: int, says: str) -> None:
    (problem,) = problems(GOOD + "[[network.reservation]]\n" + twice)
    assert (problem.line, problem.what) == (line, says)


def test_all_problems_come_at_once_in_the_order_of_the_file() -> None:
    text = GOOD.replace("memory:", "what").replace("eth0", "eth one").replace("routers", "rooters").replace(
        "10.0.0.20", "10.0.2.20"
    ).replace("00:00:01", "zz") + SECOND.replace("10.1.0.0/24", "10.0.0.128/25")
    assert [each.line for each in problems(text)] == [2, 5, 8, 9, 11, 18]


def test_no_network_at_all() -> None:
    (problem,) = problems('[server]\nstore = "memory:"\n')
    assert problem.what == "there is no network"
    (problem,) = problems("")
    assert "[[network]]" in problem.instead


def test_a_network_without_subnets() -> None:
    (problem,) = problems('\n[[network]]\nname = "a"\ninterfaces = ["eth0"]\n')
    assert (problem.line, problem.where, problem.what) == (2, 'network "a"', "has no subnet")


def test_one_bracket_too_few() -> None:
    (problem,) = problems('[network]\nname = "a"\n')
    assert (problem.line, problem.instead) == (1, "write its heading with two brackets, as in [[network]]")


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("[server]\nstore = memory:\n", 2, "is not TOML: invalid value; texts, addresses and durations stand in quot"),
        ("[server]\n\nstore\n", 3, "is not TOML: expected '='"),
        ("[server]\nstore = [1,\n", 2, "is not TOML: "),
        ('[server]\nstore = "memory:"\nstore = "memory:"\n', 3, "relet.toml:3: 'store' is there twice; leave one out"),
        ("[server]\n[server]\n", 2, "relet.toml:2: [server] is there twice; leave one out"),
        ("[server]\noptions = { mtu = 1, mtu = 2 }\n", 2, "relet.toml:2: 'mtu' is there twice; leave one out"),
    ],
)
def test_what_is_not_toml_has_a_line(text: str, line: int, says: str) -> None:
    (problem,) = problems(text)
    assert problem.line == line
    assert says in str(problem)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"relet\.toml: cannot be read: No such file"):
        load(tmp_path / "relet.toml")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(tmp_path)


def test_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    file = tmp_path / "relet.toml"
    file.write_bytes(b"[server]\n# b\xfccher\n")
    with pytest.raises(ConfigError, match=r"relet\.toml:2: is not UTF-8 text; save it as UTF-8"):
        load(file)


def test_nobody_could_be_heard() -> None:
    network = '[[network]]\nname = "a"\n[[network.subnet]]\nprefix = "10.0.0.0/24"\n'
    (problem,) = problems(network)
    assert "not known where relays are to be heard" in str(problem)
    assert parse('[server]\nlisten = ["10.9.0.1"]\n' + network, "f", Path("/")).listen


@pytest.mark.parametrize("address", ["0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255"])
def test_addresses_that_no_host_has(address: str) -> None:
    network = '[[network]]\nname = "a"\ninterfaces = ["eth0"]\n'
    subnet = '[[network.subnet]]\nprefix = "10.0.0.0/24"\n'
    for text in (
        f'[server]\nlisten = ["{address}"]\n{network}{subnet}',
        f'{network}relays = ["{address}"]\n{subnet}',
        f'{network}{subnet}pools = ["{address}"]\n',
    ):
        assert any("is not the address of a host" in str(problem) for problem in problems(text))


ROUTED = 'options = { routers = ["10.0.0.15"] }\n'
POOLED = 'relet.toml:8: network "a", subnet 10.0.0.0/24: a pool contains 10.0.0.15, which is a gateway of '
SPARE = '; write exclude = ["10.0.0.15"] in the subnet, or reserve it for that host'


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ('[[class]]\nname = "phones"\ntest = "bootp"\n', 'class "phones"'),
        ('[[reservation]]\nmac = "52:54:00:00:00:02"\n', "reservation 1"),
        ('[[network.reservation]]\nmac = "52:54:00:00:00:02"\n', 'network "a", reservation 2'),
    ],
)
def test_a_gateway_of_some_clients_is_in_no_pool(more: str, told: str) -> None:
    (problem,) = problems(GOOD + more + ROUTED)
    assert str(problem) == f"{POOLED}{told}{SPARE}"
    spared = parse(GOOD.replace("10.0.0.10-10.0.0.20", "10.0.0.0/24") + more + ROUTED, "relet.toml", Path("/etc"))
    (pool,) = spared.networks[0].subnets[0].pools
    assert str(pool.addresses) == "10.0.0.2-10.0.0.14, 10.0.0.16-10.0.0.254"


HIDING = """\
[[class]]
name = "two words"
test = "mac"
renew-at = 0.9
[[network]]
name = "a"
interfaces = ["eth0"]
[[network.subnet]]
prefix = "10.0.0.1/24"
renew-at = 0.9
[[network.subnet.pool]]
range = "10.0.0.10-10.0.0.20"
allw = ["phones"]
deny = ["phones"]
[[network.subnet]]
prefix = "10.1.0.0/24"
[[reservation]]
mca = "52:54:00:00:00:01"
address = "10.1.0.255"
classes = ["phones"]
renew-at = 0.9
"""


def test_one_wrong_setting_hides_no_other() -> None:
    late = "renew-at 0.9 is not before rebind-at 0.875"
    found = {(each.line, each.what) for each in problems(HIDING)}
    assert found >= {
        (2, "name: 'two words' is not the name of a class"),
        (4, late),
        (9, "prefix: '10.0.0.1/24' has bits set behind its width"),
        (10, late),
        (13, "unknown setting 'allw'"),
        (14, "there is no class 'phones'"),
        (17, "names no client"),
        (18, "unknown setting 'mca'"),
        (19, "is the broadcast address of its subnet"),
        (20, "there is no class 'phones'"),
        (21, late),
    }
    assert len(found) == 12  # and the test of line 3
