"""The JSON schema of a configuration file, so that an editor can complete it and say what is wrong while one writes.

It knows kinds, names and bounds of settings; what they mean together only `relet check` knows.
"""

from collections.abc import Mapping

from relet.config.options import OWN
from relet.config.schema import TABLES, FileTable, ReservationTable, Settings
from relet.wire.options import OPTIONS

INNER = {
    "server": "[server]",
    "network": "[[network]]",
    "subnet": "[[network.subnet]]",
    "pool": "[[network.subnet.pool]]",
    "class": "[[class]]",
    "option": "[[option]]",
    "reservation": "[[reservation]]",
}
"""Settings that are tables of their own, and which."""


def json_schema() -> dict[str, object]:
    """The schema of the file, JSON Schema 2020-12."""
    kinds = {table.__name__: table for table in TABLES.values()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "relet configuration",
        **_table(FileTable),
        "$defs": {"Options": _options(), **{name: _table(kind) for name, kind in sorted(kinds.items())}},
    }


def settings_of(kind: type[Settings]) -> dict[str, dict[str, object]]:
    """Setting -> its schema, with description and default, for one table."""
    properties: dict[str, dict[str, object]] = kind.model_json_schema()["properties"]
    return {name: _plain(each) for name, each in properties.items()}


def _table(kind: type[Settings]) -> dict[str, object]:
    properties = settings_of(kind)
    for name, each in properties.items():
        if name == "options" or (name == "option" and kind is ReservationTable):
            each["$ref"] = "#/$defs/Options"
        elif name in INNER:
            inner = {"$ref": f"#/$defs/{TABLES[INNER[name]].__name__}"}
            each.update(inner if each["type"] == "object" else {"items": inner})
            each.pop("default", None)
    required = [field.alias for field in kind.model_fields.values() if field.is_required()]
    return {
        "description": " ".join((kind.__doc__ or "").split()),
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        **({"required": required} if required else {}),
    }


def _plain(setting: Mapping[str, object]) -> dict[str, object]:
    """Without what TOML has no word for: null, and titles that only repeat the name."""
    plain = {key: value for key, value in setting.items() if key != "title" and value is not None}
    choices = plain.pop("anyOf", None)
    if isinstance(choices, list):
        real = [each for each in choices if each != {"type": "null"}]
        plain |= real[0] if len(real) == 1 else {"anyOf": real}
    return plain


def _options() -> dict[str, object]:
    """Names of all options that may be set; their values are of many kinds."""
    return {
        "description": "Options by name; option-N for any code.",
        "type": "object",
        "properties": {row.name: {"description": f"{row.title} ({code})"} for code, row in sorted(OPTIONS.items())
                       if code not in OWN},
    }  # fmt: skip
