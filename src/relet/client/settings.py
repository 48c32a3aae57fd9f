"""What a client is told before it starts. Checked here, so that no message can turn out impossible to write later."""

import msgspec

from relet.client.conflict import ConflictTiming
from relet.client.timing import Timing
from relet.wire.codes import INFINITE

PARAMETERS = (1, 121, 3, 6, 12, 15, 26, 28, 33, 42, 51, 54, 58, 59, 119)
"""The options asked for by default: what an interface, its routes and its resolver can use, and the lease's times. Classless
routes (121) come before routers and static routes (RFC 3442)."""

MIN_MESSAGE_SIZE = 576
"""Least value of option 57 (RFC 2132 s9.10)."""

MAX_OWN_OCTETS = 400
"""What the settings below may put into a message together: it still fits into 576 octets (RFC 2131 s2)."""


class ClientSettings(msgspec.Struct, frozen=True):
    """One interface's client. Times are in seconds.

    mac, htype: hardware address (chaddr, 1..16 octets) and its type.
    client_id: option 61, None to send none; once used it must stay the same (RFC 2131 s2).
    vendor_class: option 60. parameters: codes of option 55, most wanted first.
    max_message_size: option 57, the largest IP datagram we take.
    lease_time: asked for with option 51, None to leave it to the server.
    broadcast_flag: ask for broadcast replies; for hosts that cannot receive unicast before they are configured (s4.1).
    reboot_timeout: how long REBOOTING waits for an answer before INIT.
    use_remembered: then go on with an unexpired remembered lease instead, as s3.2 permits. Off, because nobody has
        said that the host is still on the network where the lease is valid.
    """

    mac: bytes
    interface: str = ""
    htype: int = 1
    client_id: bytes | None = None
    hostname: str = ""
    vendor_class: str = ""
    parameters: tuple[int, ...] = PARAMETERS
    max_message_size: int = 1500
    lease_time: int | None = None
    broadcast_flag: bool = False
    reboot_timeout: float = 10.0
    use_remembered: bool = False
    timing: Timing = Timing()
    conflict: ConflictTiming = ConflictTiming()

    def __post_init__(self) -> None:
        if not 1 <= len(self.mac) <= 16:
            raise ValueError(f"a hardware address has 1 to 16 octets, not {len(self.mac)}")
        if not MIN_MESSAGE_SIZE <= self.max_message_size <= 0xFFFF:
            raise ValueError(f"max_message_size {self.max_message_size} is not within {MIN_MESSAGE_SIZE}..65535")
        if self.client_id is not None and not 1 <= len(self.client_id) <= 255:
            raise ValueError(f"a client identifier has 1 to 255 octets, not {len(self.client_id)}")
        if any(not 1 <= code <= 254 for code in self.parameters):
            raise ValueError("option codes of the parameter request list lie within 1..254")
        if self.lease_time is not None and not 1 <= self.lease_time <= INFINITE:
            raise ValueError(f"lease_time {self.lease_time} is not within 1..4294967295")
        own = len(self.client_id or b"") + len(self.hostname.encode()) + len(self.vendor_class.encode())
        if own + len(self.parameters) > MAX_OWN_OCTETS:
            raise ValueError(
                "client identifier, hostname, vendor class and parameter list have "
                f"{own + len(self.parameters)} octets together; at most {MAX_OWN_OCTETS} fit into a message"
            )
