"""`relet why`: the last verdicts for a client, told from the server's ring of records."""

from collections.abc import Iterable

import msgspec

from relet.model.ident import key_text
from relet.model.reasons import REASONS, explain
from relet.server.engine import Record
from relet.wire.address import hex_text, ip_text, parse_hex, parse_ip

MAX_TOLD = 200
"""Verdicts told at most for one question."""


class Told(msgspec.Struct, frozen=True):
    """One verdict in the operator's words. at: wall time; seconds: the lease time promised."""

    at: float
    client: str
    hardware: str
    where: str
    network: str
    request: str
    answer: str
    reason: str
    address: str
    seconds: int
    text: str
    manual: str


def told(records: Iterable[Record], client: str, limit: int) -> list[Told]:
    """The newest verdicts for a client, newest first. client: hardware address, client identifier, either as `relet
    leases` prints it, or an address. Raises ValueError that says what to write."""
    asked = _asked(client)
    found = []
    for record in reversed(tuple(records)):
        if asked & {record.client[1:], record.hardware[1:], record.address.to_bytes(4, "big")}:
            found.append(_tell(record))
            if len(found) >= min(limit, MAX_TOLD):
                break
    return found


def _asked(client: str) -> set[bytes]:
    word = client.strip().split(" ")[-1].rpartition("/")[2]
    if word.count(".") == 3:
        return {parse_ip(word).to_bytes(4, "big")}
    try:
        return {parse_hex(word)} - {b""}
    except ValueError:
        raise ValueError(
            f"{client!r} is not a client; write its hardware address (52:54:00:12:34:56), client identifier or address"
        ) from None


def _tell(record: Record) -> Told:
    reason = REASONS[record.reason]
    address = ip_text(record.address) if record.address else ""
    where = f"relay {ip_text(record.giaddr)}" if record.giaddr else record.interface or "unicast"
    return Told(
        at=record.at,
        client=key_text(record.client),
        hardware=hex_text(record.hardware[1:]),
        where=where,
        network=record.network,
        request=record.kind,
        answer=record.answer,
        reason=reason.id,
        address=address,
        seconds=record.seconds,
        text=explain(reason, address),
        manual=reason.manual,
    )
