"""What a client is told before it starts. Checked here, so that no message can turn out impossible to write later."""

import msgspec

from relet.client.conflict import Check, ConflictTiming
from relet.client.identity import by_hardware
from relet.client.timing import Timing
from relet.wire import options
from relet.wire.codes import INFINITE
from relet.wire.names import E_FLAG

PARAMETERS = (1, 121, 3, 6, 12, 15, 26, 28, 33, 42, 51, 54, 58, 59, 114, 119)
"""The options asked for by default: what an interface, its routes and its resolver can use, and the lease's times. Classless
routes (121) come before routers and static routes (RFC 3442)."""

ANONYMOUS_PARAMETERS = (1, 3, 6, 15, 51, 58, 59, 119, 121)
"""What a host cannot do without; many ask for these (RFC 7844 s3.6)."""

MIN_MESSAGE_SIZE = 576
"""Least value of option 57 (RFC 2132 s9.10)."""

MAX_OWN_OCTETS = 400
"""What the settings below may put into a message together: it still fits into 576 octets (RFC 2131 s2)."""


SERVER_UPDATES = 1
"""Flag S of option 81 (RFC 4702 s2.1): the server shall update the name's address record."""

OURS = frozenset((0, 50, 51, 52, 53, 54, 55, 57, 61, 77, 80, 81, 82, 255))
"""Options that the client sets itself, or must not send; all others may be given in `extra`."""


class ClientSettings(msgspec.Struct, frozen=True):
    """One interface's client. Times are in seconds.

    mac, htype: hardware address (chaddr, 1..16 octets) and its type.
    client_id: option 61, None to send none; once used it must stay the same (RFC 2131 s2).
    hostname: option 12. fqdn: option 81 instead of it, the server may update DNS (RFC 4702).
    vendor_class: option 60. user_class: option 77, one class (RFC 3004). parameters: codes of option 55, most wanted first.
    extra: more options to send, code -> octets.
    max_message_size: option 57, the largest IP datagram we take.
    lease_time: asked for with option 51, None to leave it to the server.
    broadcast_flag: ask for broadcast replies; for hosts that cannot receive unicast before they are configured (s4.1).
    anonymous: say nothing of oneself that is not needed, and remember no network (RFC 7844). Then only mac, client_id and
        parameters are used of the above.
    ipv6_only: this host can do without IPv4 where the network says so (RFC 8925).
    rapid_commit: allow a server to allocate in two messages (RFC 4039).
    reboot_timeout: how long a DHCPREQUEST of INIT-REBOOT may be answered.
    use_remembered: then go on with an unexpired remembered lease instead, as s3.2 permits. Off, because nobody has
        said that the host is still on the network where the lease is valid.
    check_new, check_again: how an address is checked for conflicts before use, if it is new, or one that is remembered.
    """

    mac: bytes
    interface: str = ""
    htype: int = 1
    client_id: bytes | None = None
    hostname: str = ""
    fqdn: str = ""
    vendor_class: str = ""
    user_class: str = ""
    parameters: tuple[int, ...] = PARAMETERS
    extra: dict[int, bytes] = {}
    max_message_size: int = 1500
    lease_time: int | None = None
    broadcast_flag: bool = False
    anonymous: bool = False
    ipv6_only: bool = False
    rapid_commit: bool = False
    reboot_timeout: float = 10.0
    use_remembered: bool = False
    check_new: Check = Check.FULL
    check_again: Check = Check.QUICK
    timing: Timing = Timing()
    conflict: ConflictTiming = ConflictTiming()

    def __post_init__(self) -> None:
        if not 1 <= len(self.mac) <= 16:
            raise ValueError(f"a hardware address has 1 to 16 octets, not {len(self.mac)}")
        if not MIN_MESSAGE_SIZE <= self.max_message_size <= 0xFFFF:
            raise ValueError(f"max_message_size {self.max_message_size} is not within {MIN_MESSAGE_SIZE}..65535")
        if self.client_id is not None and not 2 <= len(self.client_id) <= 255:
            raise ValueError(f"a client identifier has 2 to 255 octets (RFC 2132 s9.14), not {len(self.client_id)}")
        if any(not 1 <= code <= 254 for code in self.parameters):
            raise ValueError("option codes of the parameter request list lie within 1..254")
        # RFC 4039 s3
        if options.RAPID_COMMIT.code in self.parameters:
            raise ValueError(
                "rapid commit (80) is not asked for by the parameter request list; set rapid_commit instead"
            )
        if self.lease_time is not None and not 1 <= self.lease_time <= INFINITE:
            raise ValueError(f"lease_time {self.lease_time} is not within 1..4294967295")
        if owned := sorted(OURS & set(self.extra)):
            raise ValueError(f"option {owned[0]} is set by the client itself")
        if any(not 1 <= code <= 254 for code in self.extra):
            raise ValueError("option codes lie within 1..254")
        if len(self.user_class.encode()) > 255:
            raise ValueError("a user class has at most 255 octets")
        self._check_room()

    @property
    def identifier(self) -> bytes | None:
        """What option 61 says, None for no such option. RFC 7844 s3.5: of an anonymous client the hardware address in use,
        and nothing else."""
        return by_hardware(self.mac, self.htype) if self.anonymous else self.client_id

    def fqdn_octets(self) -> bytes:
        """Option 81 (RFC 4702 s2), with S and E: the server updates both records, and the name is in wire format, partial
        unless it ends in a dot. Raises ValueError for what is no name."""
        return options.FQDN.encode((SERVER_UPDATES | E_FLAG, 0, 0, self.fqdn))

    def _check_room(self) -> None:
        texts = (self.hostname, self.vendor_class, self.user_class)
        own = len(self.client_id or b"") + sum(len(text.encode()) for text in texts) + len(self.parameters)
        own += len(self.fqdn_octets() if self.fqdn else b"") + sum(len(octets) + 2 for octets in self.extra.values())
        if own > MAX_OWN_OCTETS:
            raise ValueError(
                "client identifier, names, classes, parameter list and extra options have "
                f"{own} octets together; at most {MAX_OWN_OCTETS} fit into a message"
            )
