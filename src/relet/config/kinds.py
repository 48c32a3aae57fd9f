"""What kinds of value the settings have: how one is read, and how an editor is told of it (JSON schema)."""

from typing import Annotated

from pydantic import PlainValidator, WithJsonSchema

from relet.config import values

_IP = r"^(\d{1,3}\.){3}\d{1,3}$"
_PREFIX = r"^(\d{1,3}\.){3}\d{1,3}/\d{1,2}$"
_SPAN = r"^(\d{1,3}\.){3}\d{1,3}( *- *(\d{1,3}\.){3}\d{1,3}|/\d{1,2})?$"
_DURATION = {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": r"^(\d+[smhdw])+$"}]}
_WORDS = {"type": "string", "minLength": 1}

Text = Annotated[str, PlainValidator(values.text), WithJsonSchema(_WORDS)]
TextOrNothing = Annotated[str, PlainValidator(values.text_or_nothing), WithJsonSchema({"type": "string"})]
Interface = Annotated[str, PlainValidator(values.interface), WithJsonSchema({**_WORDS, "maxLength": 15})]
Hostname = Annotated[str, PlainValidator(values.hostname), WithJsonSchema({**_WORDS, "maxLength": 253})]
Pattern = Annotated[str, PlainValidator(values.pattern), WithJsonSchema({"type": "string", "pattern": r"\{address\}"})]
OptionName = Annotated[str, PlainValidator(values.option_name), WithJsonSchema(_WORDS)]
ClassName = Annotated[str, PlainValidator(values.class_name), WithJsonSchema(_WORDS)]
Address = Annotated[int, PlainValidator(values.address), WithJsonSchema({"type": "string", "pattern": _IP})]
Endpoint = Annotated[
    tuple[int, int] | None,
    PlainValidator(values.endpoint),
    WithJsonSchema({"type": "string", "pattern": r"^((\d{1,3}\.){3}\d{1,3}:\d{1,5})?$"}),
]
Prefix = Annotated[
    tuple[int, int],
    PlainValidator(values.prefix),
    WithJsonSchema({"type": "string", "pattern": _PREFIX}),
]
Span = Annotated[values.Span, PlainValidator(values.span), WithJsonSchema({"type": "string", "pattern": _SPAN})]
Duration = Annotated[int, PlainValidator(values.duration), WithJsonSchema(_DURATION)]
Period = Annotated[int, PlainValidator(values.period), WithJsonSchema(_DURATION)]
LeaseDuration = Annotated[
    int,
    PlainValidator(values.lease_duration),
    WithJsonSchema({"anyOf": [*_DURATION["anyOf"], {"const": "infinite"}]}),
]
Wait = Annotated[
    float,
    PlainValidator(values.wait),
    WithJsonSchema({"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string", "pattern": r"^\d+m?s$"}]}),
]
Share = Annotated[
    float,
    PlainValidator(values.share),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}),
]
Threshold = Annotated[
    float, PlainValidator(values.threshold), WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": 1})
]
Count = Annotated[int, PlainValidator(values.count), WithJsonSchema({"type": "integer", "minimum": 1})]
Backlog = Annotated[
    int,
    PlainValidator(values.backlog),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": values.MOST_BACKLOG}),
]
Rate = Annotated[float, PlainValidator(values.rate), WithJsonSchema({"type": "number", "exclusiveMinimum": 0})]
BufferSize = Annotated[
    int, PlainValidator(values.buffer_size), WithJsonSchema({"type": "string", "pattern": r"^\d+[KMG]iB$"})
]
ServerName = Annotated[
    bytes, PlainValidator(values.server_name), WithJsonSchema({"type": "string", "maxLength": values.SNAME_OCTETS})
]
BootFile = Annotated[
    bytes, PlainValidator(values.boot_file), WithJsonSchema({"type": "string", "maxLength": values.FILE_OCTETS})
]
OptionCode = Annotated[
    int, PlainValidator(values.option_code), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 254})
]
Space = Annotated[
    int | str,
    PlainValidator(values.space),
    WithJsonSchema({"anyOf": [{"enum": ["dhcp4", "vendor"]}, {"type": "integer", "minimum": 1}]}),
]
OptionType = Annotated[
    str | dict[str, object],
    PlainValidator(values.option_type),
    WithJsonSchema({"anyOf": [_WORDS, {"type": "object", "additionalProperties": _WORDS}]}),
]
Route = Annotated[
    tuple[int, int, int],
    PlainValidator(values.route),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {
                "to": {"type": "string", "pattern": _PREFIX, "description": "Prefix that the route leads to."},
                "via": {"type": "string", "pattern": _IP, "description": "Its router; left out, it is on the link."},
            },
            "required": ["to"],
            "additionalProperties": False,
        }
    ),
]
Mac = Annotated[
    bytes,
    PlainValidator(values.mac),
    WithJsonSchema({"type": "string", "pattern": "^([0-9A-Fa-f]{2}[:-]?){5}[0-9A-Fa-f]{2}$"}),
]
Identifier = Annotated[bytes, PlainValidator(values.identifier), WithJsonSchema(_WORDS)]
Table = Annotated[dict[str, object], PlainValidator(values.table), WithJsonSchema({"type": "object"})]
Tables = Annotated[tuple[dict[str, object], ...], PlainValidator(values.tables), WithJsonSchema({"type": "array"})]
