"""Where options lie in a message: one after the other, and over three fields if one is too small (RFC 3396).

Knows codes and lengths, not what options mean.
"""

from collections.abc import Mapping

PAD, OVERLOAD, RELAY_AGENT_INFORMATION, END = 0, 52, 82, 255

FILE_ROOM, SNAME_ROOM = 127, 63
"""Octets for options in these fields, their end option aside."""


def encode_options(options: Mapping[int, bytes]) -> bytes:
    """Code, length and octets of each; what is longer than 255 octets in parts (RFC 3396 s6). No end option.

    ValueError for the codes that are not options of a message's making: pad, end and overload.
    """
    out = bytearray()
    for code, octets in options.items():
        if not PAD < code < END or code == OVERLOAD:
            raise ValueError(f"option {code} cannot be set: pad, overload and end belong to the layout")
        size = len(octets)
        if size < 256:
            out.append(code)
            out.append(size)
            out += octets
        else:
            for start in range(0, size, 255):
                part = octets[start : start + 255]
                out.append(code)
                out.append(len(part))
                out += part
    return bytes(out)


def overloaded(options: Mapping[int, bytes], room: int, file: bytes, sname: bytes) -> tuple[bytes, bytes, bytes]:
    """Options field (with option 52, without end), file and sname for options that need more than `room` octets.

    file, sname: the names that these fields must hold; without one the field is free. ValueError if the room is too
    small even so.
    """
    tail = encode_options({code: octets for code, octets in options.items() if code == RELAY_AGENT_INFORMATION})
    rooms = (room - 3 - len(tail), 0 if file else FILE_ROOM, 0 if sname else SNAME_ROOM)
    if rooms[0] < 0:
        raise ValueError(f"option {RELAY_AGENT_INFORMATION} does not fit into the options field")
    fields = (bytearray(), bytearray(), bytearray())
    for code, octets in options.items():
        if code == RELAY_AGENT_INFORMATION:
            continue
        whole = encode_options({code: octets})
        for field, space in zip(fields, rooms, strict=True):
            if len(field) + len(whole) <= space:
                field.extend(whole)
                break
        else:
            _split(code, octets, fields, rooms)
    said = (1 if fields[1] else 0) | (2 if fields[2] else 0)
    body = bytes(fields[0]) + bytes((OVERLOAD, 1, said)) + tail
    return body, bytes(fields[1]) + b"\xff" if fields[1] else file, bytes(fields[2]) + b"\xff" if fields[2] else sname


def _split(code: int, octets: bytes, fields: tuple[bytearray, ...], rooms: tuple[int, ...]) -> None:
    """Lay parts of an option into what room is left, the fields in their order (RFC 3396 s5)."""
    start = 0
    for field, space in zip(fields, rooms, strict=True):
        while start < len(octets) and len(field) + 3 <= space:
            part = octets[start : start + min(255, space - len(field) - 2)]
            field.extend((code, len(part), *part))
            start += len(part)
    if start < len(octets) or not octets:
        raise ValueError(f"option {code} of {len(octets)} octets does not fit into the message")
