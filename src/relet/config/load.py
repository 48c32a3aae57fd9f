"""A configuration file, read and checked: the one way from TOML to what the server serves.

Everything that is wrong comes in one ConfigError, in the order of the file. Nothing is opened or made here but the file
itself and those that it includes.
"""

from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from relet.config.admit import admit
from relet.config.checks import check_networks
from relet.config.classes import check_names, read_classes
from relet.config.custom import read_catalogue
from relet.config.infrastructure import check_infrastructure, sparing
from relet.config.networks import read_network
from relet.config.parameters import check_times, read_parameters
from relet.config.reading import Names, Reading
from relet.config.report import Report
from relet.config.reservations import read_reservations
from relet.config.schema import FileTable, ServerTable
from relet.config.sources import Sources, read
from relet.model.network import NOTHING, Network, Settings
from relet.model.ranges import Ranges
from relet.wire.address import ip_text, mask

SOCKET_PATH_OCTETS = 107
"""sun_path less its NUL (unix(7))."""


def load(path: Path) -> Settings:
    """The settings of a file and what it includes; relative names in it are beside it. Raises ConfigError."""
    return parse(read(path), str(path), path.parent)


def parse(text: str, file: str, base: Path) -> Settings:
    """The settings of a text. file: what problems call it. base: where relative names begin. Raises ConfigError."""
    sources = Sources(text, file, base)
    report = Report(sources.place)
    settings = _assemble(sources.raw, base, report, tuple(source.name for source in sources.files))
    report.fail(sources.problems)
    return settings


def quick(interface: str, pool: str, address: int, width: int, store: str = "memory:", control: str = "") -> Settings:
    """Settings of a first try without a file: one network on one interface.

    address, width: of the interface; its prefix is served, and its own address never granted. Raises ConfigError.
    """
    report = Report(lambda _: (0, "command line", 0))
    subnet = {"prefix": f"{ip_text(address & mask(width))}/{width}", "pools": [pool]}
    raw = {
        "server": {"store": store, "control": control},
        "network": [{"name": interface, "interfaces": [interface], "subnet": [subnet]}],
    }
    settings = _assemble(raw, Path(), report)
    networks = tuple(_sparing(network, address, pool, report) for network in settings.networks)
    report.fail()
    return replace(settings, networks=networks)


def _sparing(network: Network, address: int, pool: str, report: Report) -> Network:
    """The network less the server's own address, which a pool written as a range must not contain."""
    spared = sparing(network, Ranges.of([(address, address)]))
    if "/" not in pool and spared != network:
        what = f"pool {pool} contains {ip_text(address)}, the address of the interface itself"
        report.add((), f'network "{network.name}"', what, f"write {_addresses(spared)}")
    return spared


def _addresses(network: Network) -> str:
    return ", ".join(str(pool.addresses) for subnet in network.subnets for pool in subnet.pools) or "another pool"


def _assemble(raw: Mapping[str, object], base: Path, report: Report, files: tuple[str, ...] = ()) -> Settings:
    """Everything that can be made of the tables; good only if the report is empty."""
    file = admit(FileTable, raw, (), "", report) or FileTable()
    server = admit(ServerTable, file.server, ("server",), "[server]", report) or ServerTable()
    reading = Reading(report, read_catalogue(file.option, report), Names())
    inherited = read_parameters(server, file.server, ("server",), "[server]", reading)
    check_times(inherited, NOTHING, ("server",), "[server]", report)
    classes = read_classes(file.class_, inherited, reading)
    everywhere = read_reservations(file.reservation, (), "", inherited, reading)
    read = (
        read_network(each, ("network", position), server, inherited, reading)
        for position, each in enumerate(file.network)
    )
    drafts = [draft for draft in read if draft]
    if not file.network and not isinstance(raw.get("network"), dict):
        report.add((), "", "there is no network", "write [[network]] with a name, and [[network.subnet]] below it")
    if drafts and not server.listen and not any(draft.network.interfaces for draft in drafts):
        what = "no network has an interface, so it is not known where relays are to be heard"
        report.add(("server",), "[server]", what, 'write listen = ["ADDRESS OF THIS MACHINE"]')
    check_networks(drafts, everywhere, report)
    spared = check_infrastructure(drafts, everywhere, classes, server.listen, report)
    check_names(classes, reading)
    rows = tuple(each.row for each in classes)
    kept = tuple(each.reservation for each in everywhere)
    store = _store(server.store, base, report)
    return Settings(
        networks=tuple(replace(sparing(draft.network, spared), classes=rows, everywhere=kept) for draft in drafts),
        store=store,
        sync=server.sync,
        control=_control(server.control, base, store, report),
        listen=tuple(dict.fromkeys(server.listen)),
        leasequery=tuple(dict.fromkeys(server.leasequery)),
        user=server.user,
        group=server.group,
        metrics=server.metrics,
        receive_buffer=server.receive_buffer,
        backlog=server.backlog,
        merge_replies=server.merge_replies,
        files=files,
    )


def _store(configured: str, base: Path, report: Report) -> str:
    scheme, _, name = configured.partition(":")
    if configured == "memory:":
        return configured
    if scheme == "sqlite" and name:
        return f"sqlite:{(base / name).resolve()}"
    postgres = scheme in ("postgresql", "postgres")
    what = "PostgreSQL is not supported yet" if postgres else f"{configured!r} is no store"
    report.add(("server", "store"), "[server]", f"store: {what}", "write 'sqlite:leases.db' or 'memory:'")
    return ""


def _control(configured: str, base: Path, store: str, report: Report) -> str:
    if not configured:
        return ""
    path = str((base / configured).resolve())
    if len(path.encode()) > SOCKET_PATH_OCTETS:
        what = f"control: {path} is too long for a socket, which takes {SOCKET_PATH_OCTETS} octets"
        report.add(("server", "control"), "[server]", what, "write a shorter path such as '/run/relet.sock'")
    if store == f"sqlite:{path}":
        what = f"control: {path} is the file of the store"
        report.add(("server", "control"), "[server]", what, "write another path such as '/run/relet.sock'")
    return path
