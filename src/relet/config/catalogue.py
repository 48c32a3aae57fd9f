"""The options that a file may set: those of the table, and those that the file itself makes ([[option]])."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from msgspec.structs import replace

from relet.wire.option import Option
from relet.wire.options import (
    ENTERPRISE_OPTIONS,
    OPTIONS,
    VENDOR_OPTIONS,
    by_name,
)
from relet.wire.relayinfo import Suboptions
from relet.wire.subspaces import BY_ENTERPRISE
from relet.wire.vendor import vendor_suboptions

VENDOR = "vendor"
"""The space of sub-options of option 43."""


class Named(Suboptions, frozen=True):
    """dict: code -> octets, as its base. names: what sub-options are called in the file; several may have one code, since
    each vendor counts option 43 anew (RFC 2132 s8.4)."""

    names: Mapping[str, Option] = MappingProxyType({})

    def parse(self, configured: object) -> dict[int, bytes]:
        found = super().parse(configured)
        if isinstance(configured, dict) and len(found) < len(configured):
            raise ValueError("two of these sub-options have the same code; leave one out")
        return found

    def _by_name(self, name: str) -> Option:
        return self.names[name] if name in self.names else super()._by_name(name)


class Catalogue:
    """Options by name and code. own: those of the file, each in the space 'dhcp4', 'vendor', or an enterprise number."""

    def __init__(self, own: Iterable[Option] = ()) -> None:
        rows = list(own)
        self._options: dict[int, Option] = {**OPTIONS, **{row.code: row for row in rows if row.space == "dhcp4"}}
        vendor = {row.name: row for row in rows if row.space == VENDOR}
        if vendor:
            kind = Named("suboptions", 1, padded=True, rows={row.code: row for row in vendor.values()}, names=vendor)
            self._options[VENDOR_OPTIONS.code] = replace(VENDOR_OPTIONS, kind=kind)
        numbers = {row.space for row in rows} - {"dhcp4", VENDOR}
        if numbers:
            known = dict(BY_ENTERPRISE)
            for number in numbers:
                more = {row.code: row for row in rows if row.space == number}
                before = known[int(number)].rows if int(number) in known else {}
                known[int(number)] = Suboptions("suboptions", 2, rows={**before, **more})
            self._options[ENTERPRISE_OPTIONS.code] = replace(ENTERPRISE_OPTIONS, kind=vendor_suboptions(known))
        self._by_name = {row.name: row for row in self._options.values()}

    def by_name(self, name: str) -> Option | None:
        """The row of an option by its name or 'option-<code>'; None if there is none."""
        known = self._by_name.get(name)
        if known is not None:
            return known
        plain = by_name(name)
        return None if plain is None else self._options.get(plain.code, plain)

    def rows(self) -> Iterable[Option]:
        """All that have a name."""
        return self._options.values()
