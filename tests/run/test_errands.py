"""What the process with root's rights refuses to do, whoever asks."""

import pytest
from msgspec.structs import replace

from relet.model.effects import Binding
from relet.net.link import LinkError, Route
from relet.run.errands import Prepare, Put, RunHook, Take, check, raised, refused
from relet.run.plan import MAX_ROUTES, MAX_SERVERS, Plan, plan
from relet.run.variables import MAX_VALUE, environment
from relet.wire.address import parse_ip

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
