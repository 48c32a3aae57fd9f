"""What the process with root's rights refuses to do, whoever asks."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from relet.model.effects import Binding
from relet.net.link import LinkError, Route
from relet.run.errands import Prepare, Put, RunHook, Take, check, raised, refused
from relet.run.plan import MAX_ROUTES, MAX_SERVERS, Plan, plan
from relet.run.variables import MAX_VALUE, environment
from relet.wire.address import BROADCAST, parse_ip

HOST = parse_ip("192.168.1.5")
ROUTER = parse_ip("192.168.1.1")
GOOD = Plan(
    address=HOST,
    width=24,
    routes=(Route(0, 0, ROUTER), Route(parse_ip("10.0.0.0"), 8, ROUTER)),
    routers=(ROUTER,),
    mtu=1400,
    nameservers=(ROUTER,),
    domain="example.org",
    search=("example.org", "example.com."),
    hostname="host",
)
LEASE = Binding(
    HOST,
    ROUTER,
    1_700_000_000.0,
    3600,
    1800,
    3150,
    {1: b"\xff\xff\xff\0", 3: ROUTER.to_bytes(4), 6: ROUTER.to_bytes(4), 15: b"example.org", 224: b"\x07$(reboot)"},
)


def test_what_a_client_asks_is_done() -> None:
    wanted = plan(LEASE)
    good = (
        Put("c0", GOOD),
        Put("c0", wanted),
        Take("c0", wanted, False),
        Prepare("c0", (GOOD, wanted)),
        RunHook("c0", "bound", environment("bound", "c0", LEASE)),
        RunHook("c0", "stop", environment("stop", "c0", LEASE)),
    )
    for errand in good:
        check(errand)


@pytest.mark.parametrize(
    "wrong",
    [
        {"address": 0},
        {"address": parse_ip("127.0.0.1")},
        {"address": parse_ip("224.0.0.1")},
        {"address": 1 << 32},
        {"width": 0},
        {"width": 33},
        {"routes": (Route(0, 33, ROUTER),)},
        {"routes": (Route(0, -1, ROUTER),)},
        {"routes": (Route(HOST, 24, ROUTER),)},
        {"routes": (Route(1 << 32, 32, ROUTER),)},
        {"routes": (Route(0, 0, parse_ip("127.0.0.1")),)},
        {"routes": (Route(0, 0, ROUTER),) * (MAX_ROUTES + 1)},
        {"mtu": 67},
        {"mtu": 1 << 16},
        {"nameservers": (parse_ip("255.255.255.255"),)},
        {"nameservers": (ROUTER,) * (MAX_SERVERS + 1)},
        {"domain": "example.org\nnameserver 192.0.2.1"},
        {"search": ("a b",)},
        {"hostname": "$(reboot)"},
    ],
    ids=str,
)
def test_a_plan_that_none_would_make_is_refused(wrong: dict[str, object]) -> None:
    plan = replace(GOOD, **wrong)
    for errand in (Put("c0", plan), Take("c0", plan, True), Prepare("c0", (GOOD, plan))):
        with pytest.raises(ValueError, match=r"^no |^too many"):
            check(errand)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PATH", "/tmp/evil"),
        ("LD_PRELOAD", "/tmp/evil.so"),
        ("BASH_ENV", "/tmp/evil"),
        ("IFS", "x"),
        ("RELET_X=1\nPATH", ""),
        ("new_x()", "{ reboot; }"),
        ("RELET_" + "X" * 128, ""),
        ("RELET_MESSAGE", "two\nlines"),
        ("RELET_MESSAGE", "x" * (MAX_VALUE + 1)),
        ("new_host_name", "$(reboot)"),
        ("dns", "`reboot`"),
    ],
)
def test_a_variable_that_a_hook_does_not_have_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match="variable of"):
        check(RunHook("c0", "bound", {name: value}))


def test_a_hook_runs_for_no_other_reason() -> None:
    with pytest.raises(ValueError, match="no hook runs"):
        check(RunHook("c0", "--help", {}))


@pytest.mark.parametrize(
    "error", [LinkError("cannot set", 19), OSError("no space"), ValueError("refused: so")], ids=repr
)
def test_an_error_is_the_same_at_the_other_end(error: Exception) -> None:
    there = raised(refused(error))
    assert str(there) == str(error)
    assert isinstance(there, (LinkError, OSError)) == isinstance(error, (LinkError, OSError))
    if isinstance(error, LinkError):
        assert isinstance(there, LinkError)
        assert there.code == error.code


CODES = (1, 3, 6, 12, 15, 17, 26, 28, 33, 40, 42, 43, 66, 67, 114, 119, 121, 209, 224, 249, 252)
"""Options that a plan or a hook looks at, and some that nobody knows."""

OCTETS = st.one_of(
    st.binary(max_size=40),
    st.text(max_size=40).map(str.encode),
    st.lists(st.sampled_from([ROUTER, HOST, 0, BROADCAST, parse_ip("10.0.0.0")]), max_size=8).map(
        lambda addresses: b"".join(address.to_bytes(4) for address in addresses)
    ),
    st.lists(st.tuples(st.integers(0, 255), st.binary(min_size=0, max_size=8)), max_size=4).map(
        lambda routes: b"".join(bytes((width,)) + rest for width, rest in routes)
    ),
    st.lists(st.integers(0, 32), min_size=1, max_size=6).map(
        lambda widths: b"".join(
            bytes((width,)) + b"\x0a\xff\xff\xff"[: (width + 7) // 8] + ROUTER.to_bytes(4) for width in widths
        )
    ),
    st.sampled_from(
        [b"example.org", b"\x07example\x03org\0", b"\xff\xff\xff\0", b"\x05\xdc", b"$(reboot)", b"http://a/b"]
    ),
)
LEASES = st.builds(
    Binding,
    address=st.sampled_from([HOST, parse_ip("10.1.2.3"), parse_ip("172.16.255.254")]),
    server=st.just(ROUTER),
    requested_at=st.floats(0, 4e9),
    lease_time=st.sampled_from([1, 3600, 0xFFFFFFFF]),
    t1=st.just(1),
    t2=st.just(2),
    options=st.dictionaries(st.sampled_from(CODES), OCTETS, max_size=12),
    siaddr=st.integers(0, BROADCAST),
    sname=st.binary(max_size=64),
    file=st.binary(max_size=128),
)


@given(LEASES, LEASES)
@settings(max_examples=300, deadline=None)
def test_whatever_a_server_sends_what_a_client_makes_of_it_is_done(lease: Binding, before: Binding) -> None:
    """The client's process and the other one are of one mind: only who does not plan as we do is refused."""
    check(Put("c0", plan(lease)))
    for reason in ("bound", "renew", "expire", "stop"):
        check(RunHook("c0", reason, environment(reason, "c0", lease, before)))
