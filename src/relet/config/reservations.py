"""From the [[network.reservation]] and [[reservation]] tables to reservations."""

from collections.abc import Mapping, Sequence

from relet.config.admit import admit
from relet.config.draft import PlacedReservation
from relet.config.lines import Path
from relet.config.options import read_options
from relet.config.parameters import check_times, read_parameters
from relet.config.reading import Reading
from relet.config.report import Report
from relet.config.schema import ReservationTable
from relet.model.network import NOTHING, Parameters, Reservation

Raw = Mapping[str, object]

WAYS = ("mac", "client-id", "circuit-id", "remote-id", "subscriber-id", "option")
"""Settings that name a client and do nothing else; without one of them `hostname` does."""


def read_reservations(
    raws: Sequence[Raw], path: Path, around: str, wider: Parameters, reading: Reading
) -> tuple[PlacedReservation, ...]:
    """Those that can be read, with the key b'' where what names the client is wrong.

    path: of the table around them, around: its name in problems, '' for the file.

    wider: what a client gets without its reservation.
    """
    read = (
        _reservation(raw, (*path, "reservation", position), around, wider, reading) for position, raw in enumerate(raws)
    )
    return tuple(each for each in read if each)


def _reservation(raw: Raw, path: Path, around: str, wider: Parameters, reading: Reading) -> PlacedReservation | None:
    where = f"{around}, " if around else ""
    where += f"reservation {raw.get('address') or raw.get('hostname') or int(path[-1]) + 1}"
    report = reading.report
    table = admit(ReservationTable, raw, path, where, report)
    own = read_parameters(table, raw, path, where, reading)
    setting = _setting(raw, path, where, report)
    if table is None:
        return None
    check_times(own, wider, path, where, report)
    reading.names.used(table.classes, (*path, "classes"), where)
    bare = own == NOTHING and (setting == "hostname" or not table.hostname)
    if setting and bare and not raw.keys() & {"address", "classes"}:
        instead = "write address, hostname, classes, options or another setting for it"
        report.add(path, where, "reserves nothing", instead)
    if table.shared and table.address is None and "address" not in raw:
        report.add((*path, "shared"), where, "shares no address", "write address or leave shared out")
    by, key = _key(table, setting, path, where, reading) if setting else ("", b"")
    reservation = Reservation(by, key, table.address or 0, table.hostname, tuple(table.classes), own)
    return PlacedReservation(path, where, reservation, setting or "", table.shared)


def _setting(raw: Raw, path: Path, where: str, report: Report) -> str | None:
    """The setting that names the client; None if there is none or several."""
    named = [way for way in WAYS if way in raw]
    if len(named) == 1:
        return named[0]
    if not named and "hostname" in raw:
        return "hostname"
    what = f"names its client by {' and '.join(named)}" if named else "names no client"
    report.add(path, where, what, f"write one of {', '.join(WAYS)}, hostname")
    return None


def _key(table: ReservationTable, setting: str, path: Path, where: str, reading: Reading) -> tuple[str, bytes]:
    """(by, key) as model.network.Reservation has them; the key is b'' if it could not be read."""
    match setting:
        case "option":
            configured = table.option
            if configured is not None and len(configured) != 1:
                instead = 'write one, such as option = { vendor-class-identifier = "phone" }'
                reading.report.add((*path, "option"), where, f"option: {len(configured)} options are named", instead)
                return "", b""
            options = read_options(configured or {}, path, where, reading, setting, sent=False)
            return next(((f"option-{code}", octets) for code, octets in options.items()), ("", b""))
        case "hostname":
            return "hostname", table.hostname.lower().encode()
        case _:
            octets: bytes | None = getattr(table, setting.replace("-", "_"))
            return setting, octets or b""
