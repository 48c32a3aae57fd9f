"""From the [[option]] tables to options that the file may then set: any code, any kind of value, in any vendor's space."""

from collections.abc import Mapping, Sequence

from relet.config.admit import admit
from relet.config.catalogue import VENDOR, Catalogue
from relet.config.lines import Path
from relet.config.options import OWN
from relet.config.report import Report
from relet.config.schema import OptionTable
from relet.wire.compounds import ADDRESSES, Record, list_of
from relet.wire.kinds import ADDRESS, ADDRESS6, BOOL, INT32, UINT8, UINT16, UINT32, Kind
from relet.wire.names import NAME, PLAIN_NAMES
from relet.wire.option import Option, row
from relet.wire.options import OPTIONS
from relet.wire.routes import ROUTES
from relet.wire.subspaces import BY_ENTERPRISE
from relet.wire.texts import BINARY, TEXT

KINDS: Mapping[str, Kind] = {
    "address": ADDRESS,
    "addresses": ADDRESSES,
    "address6": ADDRESS6,
    "addresses6": list_of(ADDRESS6),
    "bool": BOOL,
    "hex": BINARY,
    "int32": INT32,
    "name": NAME,
    "names": PLAIN_NAMES,
    "routes": ROUTES,
    "text": TEXT,
    "uint8": UINT8,
    "uint16": UINT16,
    "uint32": UINT32,
}
"""What `type` may say."""


def read_catalogue(raws: Sequence[Mapping[str, object]], report: Report) -> Catalogue:
    """The options that a file may set. raws: its [[option]] tables."""
    made: dict[tuple[str, str], Path] = {}
    codes: dict[tuple[str, int], Path] = {}
    rows: list[Option] = []
    for position, raw in enumerate(raws):
        path = ("option", position)
        where = f"option {raw.get('name', position + 1)}"
        own = _option(raw, path, where, report)
        if own is None or _known(own, path, where, report):
            continue
        before = made.setdefault((own.space, own.name), path)
        if own.space != VENDOR and before is path:  # each vendor counts option 43 anew
            before = codes.setdefault((own.space, own.code), path)
        if before is not path:
            what = f"is made in {report.place(before, path)} already"
            report.add(path, where, what, "give it another name and code, or leave one out")
        else:
            rows.append(own)
    return Catalogue(rows)


def _option(raw: Mapping[str, object], path: Path, where: str, report: Report) -> Option | None:
    table = admit(OptionTable, raw, path, where, report)
    if table is None or ("space" in raw and "space" not in table.model_fields_set):
        return None
    space = table.space
    if isinstance(space, int):
        named = str(space)
    elif space in ("dhcp4", VENDOR):
        named = space
    else:
        instead = "write 'vendor' for option 43, or the enterprise number for option 125"
        report.add((*path, "space"), where, f"space: '{space}' is none", instead)
        return None
    kind = _kind(table.type, (*path, "type"), where, report)
    if kind is None:
        return None
    if table.list:
        if kind.most is None or kind.most != kind.least:
            what = f"list: items of '{table.type}' have no fixed length"
            report.add((*path, "list"), where, what, "leave it out, or make the option of type hex")
            return None
        kind = list_of(kind)
    return row(named, table.code, table.name, table.name, kind)


def _kind(written: str | dict[str, object], path: Path, where: str, report: Report) -> Kind | None:
    """The kind of a `type`: a word, or a table of words for a record."""
    known = ", ".join(KINDS)
    if isinstance(written, str):
        if written not in KINDS:
            report.add(path, where, f"type: '{written}' is none", f"write one of {known}")
        return KINDS.get(written)
    parts = [(name, KINDS.get(str(word))) for name, word in written.items()]
    bad = [name for name, kind in parts if kind is None]
    open_ended = [name for name, kind in parts[:-1] if kind is not None and kind.most is None]
    if bad or not parts:
        what = f"type: '{written[bad[0]]}' is none" if bad else "type: the record is empty"
        report.add(path, where, what, f"write one of {known} for each part")
        return None
    if open_ended:
        what = f"type: '{open_ended[0]}' has no fixed length and is not the last part"
        report.add(path, where, what, "put it last")
        return None
    return Record.of(*((name, kind) for name, kind in parts if kind is not None))


def _known(own: Option, path: Path, where: str, report: Report) -> bool:
    """Is it an option that is there without the file?"""
    if own.space == "dhcp4":
        if own.code in OWN:
            report.add((*path, "code"), where, f"code {own.code} belongs to the exchange itself", "write another code")
            return True
        rows = OPTIONS
    else:
        rows = (
            dict(BY_ENTERPRISE[int(own.space)].rows) if own.space.isdigit() and int(own.space) in BY_ENTERPRISE else {}
        )
    for known in rows.values():
        if own.code == known.code or own.name == known.name:
            setting = "code" if own.code == known.code else "name"
            what = f"{setting} {own.code if setting == 'code' else own.name} is option '{known.name}' ({known.code})"
            report.add((*path, setting), where, what, f"write {known.name} = .. under options, without this table")
            return True
    return False
