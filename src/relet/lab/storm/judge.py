"""Which answers are wrong, and for whom: what a server may not do, whatever it is configured to do.

Silence is never wrong, and neither is a NAK to a client whose lease may be over, not its own, or granted by another server.
The address that two clients have is found at the end, over all processes (report.py).
"""

from relet.lab.storm import wrong
from relet.lab.storm.answers import ACK, KNOWN, NAK, Answer
from relet.lab.storm.cast import Cast, Share
from relet.lab.storm.requests import KINDS, SELECTING, hardware
from relet.lab.storm.tally import Tally
from relet.wire.address import ip_text

MARGIN_S = 2.0
"""A lease that ends so soon may be refused already."""


class Judge:
    """Judges answers to the clients of a cast, which are called by their number in it, and counts in the tally."""

    def __init__(self, cast: Cast, tally: Tally) -> None:
        self._cast, self._tally = cast, tally

    def nobody(self, answer: Answer) -> None:
        """No client uses this transaction."""
        self._tally.blame(wrong.NOBODY, f"{KNOWN[answer.kind]} with xid {answer.xid:#010x}")

    def other_hardware(self, client: int, answer: Answer) -> None:
        """The transaction is this client's, the hardware address is not."""
        self._blame(client, wrong.OTHER_HARDWARE, f"{KNOWN[answer.kind]} names {answer.start:04x}{answer.number:08x}")

    def no_relay_information(self, client: int, answer: Answer) -> None:
        """RFC 3046 s2.2: it must come back."""
        self._blame(client, wrong.NO_RELAY_INFORMATION, KNOWN[answer.kind])

    def confirmed(self, client: int, asks: int, asked: int, answer: Answer) -> None:
        """An ACK to a request of kind `asks` for the address `asked`."""
        remembered = self._cast.shares[client] if asks != SELECTING else Share.NEW
        if answer.address != asked:
            self._blame(client, wrong.OTHER_ADDRESS, f"asked for {ip_text(asked)}, got {ip_text(answer.address)}")
        elif remembered == Share.FOREIGN:
            self._blame(client, wrong.FOREIGN, ip_text(asked))
        elif remembered == Share.TAKEN:
            self._blame(client, wrong.TAKEN, ip_text(asked))

    def refused(self, client: int, asks: int, asked: int, server: int, wall: float) -> None:
        """A NAK by `server`. To an offer that was taken it may come: the address may be given away (RFC 2131 s3.1)."""
        granted = server == self._cast.memory.servers[client]
        if asks != SELECTING and granted and self._has_right(client, asked, wall):
            self._blame(client, wrong.NAK_WITHOUT_RIGHT, f"{KINDS[asks]} for {ip_text(asked)}")

    def afterwards(self, client: int, has: int, server: int, answer: Answer, wall: float) -> None:
        """A second answer to a client that has an address from `server`: it must not contradict the first."""
        if answer.kind == ACK and answer.address != has:
            self._blame(client, wrong.OTHER_ADDRESS, f"has {ip_text(has)}, then got {ip_text(answer.address)}")
        elif answer.kind == NAK and answer.server == server and self._has_right(client, has, wall):
            self._blame(client, wrong.NAK_WITHOUT_RIGHT, f"{ip_text(has)}, after an ACK for it")

    def _has_right(self, client: int, address: int, wall: float) -> bool:
        """Does it have a lease on this address that it remembers, and that lasts?"""
        cast = self._cast
        valid = cast.shares[client] == Share.VALID and address == cast.asked[client]
        return valid and cast.expires[client] > wall + MARGIN_S

    def _blame(self, client: int, name: str, told: str) -> None:
        octets = hardware(self._cast.memory.tribe) + self._cast.numbers[client].to_bytes(4)
        self._tally.blame(name, f"client {client} ({octets.hex(':')}): {told}")
