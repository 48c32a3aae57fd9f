"""What one table says of what its clients get, and whether that holds together with what wider tables say."""

from collections.abc import Mapping

from relet.config.lines import Path
from relet.config.options import read_option_name, read_options
from relet.config.reading import Reading
from relet.config.report import Report
from relet.config.schema import Said
from relet.model.network import DEFAULT_LEASE_S, NOTHING, SHORTEST_LEASE_S, Parameters
from relet.wire.options import CLASSLESS_ROUTES as ROUTES
from relet.wire.options import V6_ONLY_PREFERRED

Raw = Mapping[str, object]

TIMES = ("lease_time", "min_lease_time", "max_lease_time", "renew_at", "rebind_at")
_FIELDS = ("next_server", "server_name", "boot_file", *TIMES)
_DEFAULT_T1, _DEFAULT_T2 = 0.5, 0.875
"""RFC 2131 s4.4.5."""


def read_parameters(table: Said | None, raw: Raw, path: Path, where: str, reading: Reading) -> Parameters:
    """What a table says itself. table: None if something that it must have is missing; its options are checked still."""
    configured = raw.get("options")
    options = read_options(configured, path, where, reading) if isinstance(configured, dict) else {}
    if table is None:
        return Parameters(options=options)
    forced = [
        read_option_name(name, (*path, "force", position), where, reading) for position, name in enumerate(table.force)
    ]
    if V6_ONLY_PREFERRED.code in {row.code for row in forced if row}:
        what = f"option '{V6_ONLY_PREFERRED.name}' is forced (RFC 8925 s3.3: only to clients that ask for it)"
        reading.report.add((*path, "force"), where, what, "leave it out of force")
    if table.routes:
        if ROUTES.code in options:
            what = f"routes and option '{ROUTES.name}' are both there"
            reading.report.add((*path, "routes"), where, what, "leave one out; routes makes the option")
        options[ROUTES.code] = ROUTES.encode(table.routes)
    said = {name: getattr(table, name) for name in _FIELDS if name in table.model_fields_set}
    own = Parameters(options=options, force=frozenset(row.code for row in forced if row), **said)
    return NOTHING if own == NOTHING else own  # most reservations say nothing of their own: they are one and the same


def check_times(own: Parameters, wider: Parameters, path: Path, where: str, report: Report) -> None:
    """Do the times hold together, if this level says anything about them? wider: of the levels around it."""
    said = {name for name in TIMES if getattr(own, name) is not None}
    if not said:
        return
    now = own.over(wider)
    lease = DEFAULT_LEASE_S if now.lease_time is None else now.lease_time
    shortest = min(SHORTEST_LEASE_S, lease) if now.min_lease_time is None else now.min_lease_time
    longest = lease if now.max_lease_time is None else now.max_lease_time
    if shortest > lease and said & {"lease_time", "min_lease_time"}:
        key = "min-lease-time" if "min_lease_time" in said else "lease-time"
        instead = "shorten it" if key == "min-lease-time" else "set min-lease-time here too, no longer than lease-time"
        report.add((*path, key), where, "min-lease-time is longer than lease-time", instead)
    if longest < lease and said & {"lease_time", "max_lease_time"}:
        key = "max-lease-time" if "max_lease_time" in said else "lease-time"
        instead = (
            "lengthen it" if key == "max-lease-time" else "set max-lease-time here too, no shorter than lease-time"
        )
        report.add((*path, key), where, "max-lease-time is shorter than lease-time", instead)
    t1 = _DEFAULT_T1 if now.renew_at is None else now.renew_at
    t2 = _DEFAULT_T2 if now.rebind_at is None else now.rebind_at
    # RFC 2131 s4.4.5: T1 before T2 before the end of the lease.
    if t1 >= t2 and said & {"renew_at", "rebind_at"}:
        key = "renew-at" if "renew_at" in said else "rebind-at"
        what = f"renew-at {t1} is not before rebind-at {t2}"
        report.add((*path, key), where, what, "write renew-at = 0.5 and rebind-at = 0.875, or leave both out")
