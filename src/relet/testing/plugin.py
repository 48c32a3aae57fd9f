"""The pytest plugin: `dhcp_link`, `dhcp_server` and `dhcp_client`, and the ladder in the report of a test that failed.

pytest loads this file in every run on a machine where relet is installed, so it imports nothing but pytest; the rest is
loaded when a test asks for a fixture. Nothing happens to tests that do not.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from relet.testing.client import DhcpClient
    from relet.testing.link import DhcpLink
    from relet.testing.real import RealLink
    from relet.testing.server import DhcpServer

MARKERS = (
    "dhcp_seed(number): the seed of this test's dhcp_link",
    "dhcp_real: dhcp_link is a bridge in network namespaces, with real processes in real time",
)
_LINK: "pytest.StashKey[DhcpLink | RealLink]" = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """--dhcp-seed."""
    group = parser.getgroup("dhcp", "relet's fixtures for DHCP")
    group.addoption(
        "--dhcp-seed", type=int, default=1, metavar="NUMBER", help="Seed of every dhcp_link that has no mark dhcp_seed."
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marks."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)


@pytest.fixture
def dhcp_link(request: pytest.FixtureRequest) -> "Iterator[DhcpLink | RealLink]":
    """A link: in memory and under virtual time, or, with the mark `dhcp_real`, in network namespaces."""
    item = request.node
    with ExitStack() as stack:
        link = stack.enter_context(_real()) if item.get_closest_marker("dhcp_real") else _virtual(request)
        item.stash[_LINK] = link
        yield link


@pytest.fixture
def dhcp_server(dhcp_link: "DhcpLink") -> "Callable[..., DhcpServer]":
    """Makes servers on the link: `dhcp_server(pool=..., options=..., leases=...)`."""
    return dhcp_link.server


@pytest.fixture
def dhcp_client(dhcp_link: "DhcpLink") -> "Callable[..., DhcpClient]":
    """Makes clients on the link: `dhcp_client(remembered=..., hostname=...)`."""
    return dhcp_link.client


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the exchange to the report of a test that failed."""
    report = yield
    link = item.stash.get(_LINK, None)
    if link is not None and call.when == "call" and report.failed:
        report.sections.append(link.report())
    return report


def _virtual(request: pytest.FixtureRequest) -> "DhcpLink":
    mark = request.node.get_closest_marker("dhcp_seed")
    seed = mark.args[0] if mark is not None else request.config.getoption("dhcp_seed")
    link: DhcpLink = import_module("relet.testing.link").DhcpLink(seed)
    return link


def _real() -> "RealLink":
    real = import_module("relet.testing.real")
    try:
        link: RealLink = real.RealLink()
    except real.LabError as error:
        pytest.skip(str(error))
    return link
