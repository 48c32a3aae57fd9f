"""What a lease means for a machine: every value checked, what is refused told under a name."""

import msgspec
import pytest

from relet.model.effects import Binding
from relet.net.link import Route
from relet.run.plan import (
    MAX_REFUSED,
    MAX_ROUTES,
    MAX_SEARCH,
    MAX_SERVERS,
    UNRESTRICTED,
    Plan,
    plan,
)
from relet.run.values import is_host_name, is_neighbour, is_plain, is_web_uri
from relet.wire import options
from relet.wire.address import parse_ip
from relet.wire.codes import INFINITE

ADDRESS = parse_ip("192.168.1.5")
MASK = {1: b"\xff\xff\xff\0"}


def addresses(*texts: str) -> bytes:
    return b"".join(parse_ip(text).to_bytes(4) for text in texts)


ROUTERS = {3: addresses("192.168.1.1", "192.168.1.2")}
DEFAULT = Route(0, 0, parse_ip("192.168.1.1"))


def binding(*parts: dict[int, bytes], address: int = ADDRESS, lease_time: int = 3600) -> Binding:
    carried = {code: octets for part in parts for code, octets in part.items()}
    return Binding(address, parse_ip("192.168.1.1"), 1000.0, lease_time, 1800, 3150, carried)


def classless(*routes: tuple[str, int, str], code: int = 121) -> dict[int, bytes]:
    return {code: options.CLASSLESS_ROUTES.encode(tuple((parse_ip(a), width, parse_ip(b)) for a, width, b in routes))}


def kinds(made: Plan) -> list[str]:
    return [note.kind for note in made.refused]


def test_an_ordinary_lease_is_taken_whole() -> None:
    names = {15: b"example.org", 119: options.DOMAIN_SEARCH.encode(("a.example.org", "example.org")), 12: b"host-1"}
    servers = {6: addresses("192.168.1.1", "9.9.9.9"), 42: addresses("192.168.1.3")}
    rest = {26: b"\x05\x78", 114: b"https://portal.example/api?id=1"}
    assert plan(binding(MASK, ROUTERS, names, servers, rest)) == Plan(
        address=ADDRESS,
        width=24,
        routes=(DEFAULT,),
        routers=(parse_ip("192.168.1.1"), parse_ip("192.168.1.2")),
        mtu=1400,
        nameservers=(parse_ip("192.168.1.1"), parse_ip("9.9.9.9")),
        domain="example.org",
        search=("a.example.org", "example.org"),
        hostname="host-1",
        ntp=(parse_ip("192.168.1.3"),),
        captive_portal="https://portal.example/api?id=1",
        expires=4600.0,
    )


def test_an_empty_lease_is_an_address_and_nothing_else() -> None:
    assert plan(binding(MASK, lease_time=INFINITE)) == Plan(ADDRESS, 24)


def test_a_plan_can_be_handed_to_another_process() -> None:
    made = plan(binding(MASK, ROUTERS, {26: b"\0\x01"}, lease_time=INFINITE))
    assert made.refused
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(made), type=Plan) == made
    assert msgspec.json.decode(msgspec.json.encode(made), type=Plan) == made


@pytest.mark.parametrize(
    ("address", "octets", "width", "told"),
    [
        ("192.168.1.5", b"\xff\xff\xff\x80", 25, []),
        ("192.168.1.5", b"\xff\xff\xff\xfe", 31, []),
        ("192.168.1.5", b"\xff\xff\xff\xff", 32, []),
        ("10.1.2.3", None, 8, []),  # RFC 791 classes, where the server says nothing or nonsense
        ("172.16.0.1", None, 16, []),
        ("192.168.1.5", None, 24, []),
        ("10.1.2.3", b"\0\0\0\0", 8, ["bad-mask"]),
        ("192.168.1.5", b"\xfe\0\0\0", 24, ["bad-mask"]),
        ("10.1.2.3", b"\xff\0\xff\0", 8, ["bad-mask"]),
        ("10.1.2.3", b"\xff\xff", 8, ["malformed-option"]),
    ],
)
def test_the_width_comes_from_the_mask_or_the_class(
    address: str, octets: bytes | None, width: int, told: list[str]
) -> None:
    made = plan(binding({} if octets is None else {1: octets}, address=parse_ip(address)))
    assert (made.width, kinds(made)) == (width, told)


@pytest.mark.parametrize(
    ("width", "netmask", "broadcast"),
    [(24, "255.255.255.0", "192.168.1.255"), (31, "255.255.255.254", "0.0.0.0"), (32, "255.255.255.255", "0.0.0.0")],
)
def test_a_network_of_two_has_no_broadcast_address(width: int, netmask: str, broadcast: str) -> None:
    made = Plan(ADDRESS, width)
    assert (made.netmask(), made.broadcast()) == (parse_ip(netmask), parse_ip(broadcast))


def test_classless_routes_take_the_place_of_routers_and_static_routes() -> None:
    static = {33: addresses("10.0.0.0", "192.168.1.9")}
    told = classless(("10.0.0.0", 8, "192.168.1.7"), ("0.0.0.0", 0, "172.16.0.1"), ("172.16.0.1", 32, "0.0.0.0"))
    made = plan(binding(MASK, ROUTERS, static, told))
    assert made.routes == (
        Route(parse_ip("172.16.0.1"), 32, 0),
        Route(parse_ip("10.0.0.0"), 8, parse_ip("192.168.1.7")),
        Route(0, 0, parse_ip("172.16.0.1")),
    )
    assert made.routers[0] == parse_ip("192.168.1.1")


@pytest.mark.parametrize(
    "router", ["192.168.1.5", "0.1.2.3", "127.0.0.1", "224.0.0.1", "192.168.1.255", "255.255.255.255"]
)
def test_classless_routes_do_so_even_if_all_of_them_lead_nowhere(router: str) -> None:
    made = plan(binding(MASK, ROUTERS, classless(("10.0.0.0", 8, router))))
    assert (made.routes, kinds(made)) == ((), ["bad-route"])


def test_bits_of_a_destination_behind_its_width_are_cleared() -> None:
    octets = b"\x19" + addresses("129.210.177.132", "192.168.1.7")  # the example of RFC 3442
    assert plan(binding(MASK, {121: octets})).routes == (Route(parse_ip("129.210.177.128"), 25, ADDRESS + 2),)


def test_the_code_that_windows_servers_have_for_them_counts_where_the_standard_one_is_absent() -> None:
    windows = classless(("10.0.0.0", 8, "192.168.1.7"), code=249)
    standard = classless(("10.0.0.0", 8, "192.168.1.8"))
    assert plan(binding(MASK, ROUTERS, windows)).routes == (Route(parse_ip("10.0.0.0"), 8, parse_ip("192.168.1.7")),)
    assert plan(binding(MASK, windows, standard)).routes == (Route(parse_ip("10.0.0.0"), 8, parse_ip("192.168.1.8")),)


def test_static_routes_go_by_class_and_cannot_be_the_default() -> None:
    pairs = ("10.0.0.0", "192.168.1.9", "172.16.5.0", "192.168.1.9", "0.0.0.0", "192.168.1.9", "10.0.0.0", "0.0.0.0")
    assert plan(binding(MASK, {33: addresses(*pairs)})).routes == (
        Route(parse_ip("10.0.0.0"), 8, parse_ip("192.168.1.9")),
        Route(parse_ip("172.16.5.0"), 32, parse_ip("192.168.1.9")),
    )


def test_a_router_off_the_subnet_is_a_router() -> None:
    """As with providers whose hosts have a /32."""
    made = plan(binding({1: b"\xff\xff\xff\xff"}, {3: addresses("172.31.1.1")}))
    assert (made.width, made.routes) == (32, (Route(0, 0, parse_ip("172.31.1.1")),))


def test_the_other_one_of_two_is_a_router_whatever_its_number() -> None:
    made = plan(binding({1: b"\xff\xff\xff\xfe"}, {3: addresses("192.168.1.4")}))
    assert made.routes == (Route(0, 0, parse_ip("192.168.1.4")),)


@pytest.mark.parametrize(
    "text", ["0.0.0.0", "127.0.0.1", "192.168.1.0", "192.168.1.255", "239.1.1.1", "255.255.255.255"]
)
def test_addresses_that_no_host_has_are_refused_in_every_list(text: str) -> None:
    lists = {code: addresses(text, "192.168.1.1") for code in (3, 6, 42)}
    made = plan(binding(MASK, lists))
    only = (parse_ip("192.168.1.1"),)
    assert (made.routers, made.nameservers, made.ntp, made.routes) == (only, only, only, (DEFAULT,))
    assert kinds(made) == ["bad-router", "bad-name-server", "bad-ntp-server"]


def test_our_own_address_is_no_router_but_may_be_a_name_server() -> None:
    made = plan(binding(MASK, {3: addresses("192.168.1.5"), 6: addresses("192.168.1.5")}))
    assert (made.routes, made.nameservers, kinds(made)) == ((), (ADDRESS,), ["bad-router"])


def test_a_route_to_loopback_and_a_second_route_to_one_prefix_are_refused() -> None:
    told = classless(("127.0.0.0", 8, "192.168.1.1"), ("10.0.0.0", 8, "192.168.1.1"), ("10.0.0.0", 8, "192.168.1.2"))
    made = plan(binding(MASK, told))
    assert made.routes == (Route(parse_ip("10.0.0.0"), 8, parse_ip("192.168.1.1")),)
    assert kinds(made) == ["bad-route", "bad-route"]


def test_malformed_options_count_as_absent_and_are_told() -> None:
    made = plan(binding(MASK, ROUTERS, {121: b"\x21\x01"}))
    assert (made.routes, kinds(made)) == ((DEFAULT,), ["malformed-option"])
    made = plan(binding(MASK, dict.fromkeys((3, 6, 12, 15, 26, 33, 42, 114, 119, 249), b"\xc0")))
    assert made == Plan(ADDRESS, 24, expires=4600.0, refused=made.refused)
    assert kinds(made) == ["malformed-option"] * 10


def test_lists_have_bounds_and_no_value_twice() -> None:
    routes = classless(*[(f"10.{number}.0.0", 16, "192.168.1.1") for number in range(MAX_ROUTES + 1)])
    servers = {6: addresses(*[f"10.0.0.{number}" for number in range(1, MAX_SERVERS + 2)])}
    names = {119: options.DOMAIN_SEARCH.encode([f"n{number}.example" for number in range(MAX_SEARCH + 1)])}
    made = plan(binding(MASK, routes, servers, names))
    assert [len(each) for each in (made.routes, made.nameservers, made.search)] == [MAX_ROUTES, MAX_SERVERS, MAX_SEARCH]
    assert kinds(made) == ["too-many"] * 3
    assert plan(binding(MASK, {6: addresses("9.9.9.9", "9.9.9.9")})).nameservers == (parse_ip("9.9.9.9"),)
    assert len(plan(binding(MASK, {6: b"".join(bytes((0, 0, 0, n)) for n in range(200))})).refused) == MAX_REFUSED


@pytest.mark.parametrize(
    ("octets", "mtu", "told"), [(b"\x05\xdc", 1500, []), (b"\0\x44", 68, []), (b"\0\x43", 0, ["bad-mtu"])]
)
def test_an_mtu_has_a_least(octets: bytes, mtu: int, told: list[str]) -> None:
    made = plan(binding(MASK, {26: octets}))
    assert (made.mtu, kinds(made)) == (mtu, told)


NAMES = [
    ("host", True),
    ("3com.example.org", True),
    ("a-b.example.org.", True),
    ("xn--bcher-kva.example", True),
    ("a" * 63, True),
    ("1234", True),
    ("", False),
    (".", False),
    ("a..b", False),
    ("-a", False),
    ("a-", False),
    ("a" * 64, False),
    (".".join(["a" * 63] * 4), False),
    ("10.0.0.1", False),
    ("under_score.example", False),
    ("b\u00fccher.example", False),
    ("\u0661\u0662", False),
    *[(f"a{char}b", False) for char in " \n\r\t\0\x1b;|&$`'\"\\/<>(){}*?!#%\x7f"],
]


@pytest.mark.parametrize(("name", "good"), NAMES)
def test_names_are_those_of_rfc_1123(name: str, good: bool) -> None:
    assert is_host_name(name) == good


@pytest.mark.parametrize("name", [name for name, good in NAMES if not good and name and "\0" not in name])
def test_a_name_that_is_none_reaches_nobody(name: str) -> None:
    made = plan(binding(MASK, {12: name.encode()}))
    assert (made.hostname, kinds(made)) == ("", ["bad-host-name"])
    assert made.refused[0].text.isprintable()
    if " " not in name:
        made = plan(binding(MASK, {15: name.encode()}))
        assert (made.domain, made.search, kinds(made)) == ("", (), ["bad-domain"])


def test_search_names_are_judged_one_by_one() -> None:
    made = plan(binding(MASK, {119: options.DOMAIN_SEARCH.encode(("a\\032b.example", "good.example", "x\\010y"))}))
    assert (made.search, kinds(made)) == (("good.example",), ["bad-domain", "bad-domain"])


def test_search_names_may_be_compressed() -> None:
    octets = b"\x03eng\x05apple\x03com\x00\x09marketing\xc0\x04"  # the example of RFC 3397 s2
    assert plan(binding(MASK, {119: octets})).search == ("eng.apple.com", "marketing.apple.com")


def test_a_domain_option_with_several_names_is_a_search_list() -> None:
    made = plan(binding(MASK, {15: b"example.org  sub.example.org"}))
    assert (made.domain, made.search, made.refused) == ("example.org", ("example.org", "sub.example.org"), ())


@pytest.mark.parametrize(
    ("uri", "good"),
    [
        ("https://portal.example/api", True),
        ("HTTP://portal.example", True),
        (UNRESTRICTED, True),
        ("https:///api", False),
        ("portal.example/api", False),
        ("ftp://portal.example/", False),
        ("javascript:alert(1)", False),
        ("urn:ietf:params:other", False),
        ("https://portal.example/a b", False),
        ("https://portal.example/\x1b[2J", False),
        ("https://portal.example/\u00fc", False),
        ("https://" + "a" * 248, False),
    ],
)
def test_only_a_uri_is_a_captive_portal(uri: str, good: bool) -> None:
    made = plan(binding(MASK, {114: uri.encode()}))
    assert (made.captive_portal, kinds(made)) == ((uri, []) if good else ("", ["bad-captive-portal"]))
    assert is_web_uri(uri) == (good and uri != UNRESTRICTED)


def test_what_is_plain_means_nothing_to_a_shell() -> None:
    assert is_plain("tftp://server/a,b:c@d=e%20 f_g+h")
    assert not any(is_plain(char) for char in "\n\r\t\0;|&$`'\"\\<>(){}[]*?!#~^\x7f\u00fc")


def test_the_edge_of_a_network_is_nobody() -> None:
    assert not is_neighbour(parse_ip("192.168.1.255"), ADDRESS, 24)
    assert is_neighbour(parse_ip("192.168.2.255"), ADDRESS, 24)
    assert is_neighbour(parse_ip("192.168.1.4"), ADDRESS, 31)
    assert is_neighbour(parse_ip("192.168.1.4"), ADDRESS, 32)
