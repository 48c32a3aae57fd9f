"""Every way from one state to another: RFC 2131 figure 5, and what the figure leaves out.

The machine can go no other way (it looks each step up here), and the diagram of the manual is drawn from this table. What
a state does without leaving it (retransmit, gather offers, probe, announce, defend) is not listed.
"""

from enum import StrEnum

import msgspec

from relet.client.states import (
    Attached,
    Backoff,
    Bound,
    Init,
    InitReboot,
    LinkDown,
    Probing,
    Rebinding,
    Rebooting,
    Renewing,
    Requesting,
    Selecting,
    State,
    Stopped,
    V6Only,
)


class Cause(StrEnum):
    """What takes the client along an arrow."""

    START = "START"
    STOP = "STOP or RELEASE"
    LINK_UP = "link up"
    LINK_DOWN = "link down"
    DISCOVER = "DHCPDISCOVER sent"
    CHOSEN = "offer chosen, DHCPREQUEST sent"
    REBOOT = "DHCPREQUEST sent"
    ACK = "DHCPACK"
    NAK = "DHCPNAK"
    SILENCE = "no answer"
    HEDGE = "no answer yet, DHCPDISCOVER beside"
    KNOWN = "gateway is known"
    WOKEN = "host slept"
    V6ONLY = "IPv6-only preferred"
    PERMITTED = "no answer, use permitted"
    FREE = "address is free"
    CONFLICT = "conflict, DHCPDECLINE sent"
    WAITED = "waited"
    T1 = "T1"
    T2 = "T2"
    RENEW = "RENEW"
    EXPIRY = "lease over"


class Arrow(msgspec.Struct, frozen=True):
    """One way between two states."""

    source: type[State]
    cause: Cause
    target: type[State]


_FIGURE_5 = (
    Arrow(Init, Cause.DISCOVER, Selecting),
    Arrow(Selecting, Cause.CHOSEN, Requesting),
    Arrow(Requesting, Cause.ACK, Probing),
    Arrow(Requesting, Cause.NAK, Init),
    Arrow(InitReboot, Cause.REBOOT, Rebooting),
    Arrow(Rebooting, Cause.ACK, Probing),
    Arrow(Rebooting, Cause.NAK, Init),
    Arrow(Probing, Cause.FREE, Bound),
    Arrow(Probing, Cause.CONFLICT, Backoff),
    Arrow(Requesting, Cause.ACK, Bound),  # quick check, or none
    Arrow(Rebooting, Cause.ACK, Bound),
    Arrow(Requesting, Cause.CONFLICT, Backoff),  # the quick check's first probe was answered before the DHCPACK
    Arrow(Rebooting, Cause.CONFLICT, Backoff),
    Arrow(Backoff, Cause.WAITED, Init),
    Arrow(Bound, Cause.T1, Renewing),
    Arrow(Renewing, Cause.ACK, Bound),
    Arrow(Renewing, Cause.NAK, Init),
    Arrow(Renewing, Cause.T2, Rebinding),
    Arrow(Rebinding, Cause.ACK, Bound),
    Arrow(Rebinding, Cause.NAK, Init),
    Arrow(Rebinding, Cause.EXPIRY, Init),
)
"""The figure's arrows; where it goes from an ACK straight to BOUND or INIT, the check of the address lies between."""

_SILENCE = (
    Arrow(Requesting, Cause.SILENCE, Init),  # s3.1 step 5
    Arrow(Rebooting, Cause.SILENCE, Init),  # s3.2 step 4
    Arrow(Rebooting, Cause.PERMITTED, Probing),  # s3.2 step 4, if the operator permits it or the network is known
    Arrow(Rebooting, Cause.PERMITTED, Bound),
    Arrow(Requesting, Cause.SILENCE, InitReboot),  # the operator permits what comes of silence there
)

_HEDGE = (
    # A DHCPDISCOVER beside the DHCPREQUEST of REBOOTING, which goes on being sent, and wins if it is answered.
    Arrow(Rebooting, Cause.HEDGE, Selecting),
    Arrow(Selecting, Cause.ACK, Probing),
    Arrow(Selecting, Cause.ACK, Bound),
    Arrow(Selecting, Cause.CONFLICT, Backoff),
    Arrow(Selecting, Cause.PERMITTED, Probing),
    Arrow(Selecting, Cause.PERMITTED, Bound),
)

_NETWORKS = (
    Arrow(Rebooting, Cause.NAK, InitReboot),  # another lease is remembered from the server that refuses
    Arrow(Selecting, Cause.NAK, InitReboot),
    # RFC 4436: the remembered gateway answers, of this lease or of another one.
    Arrow(Rebooting, Cause.KNOWN, Attached),
    Arrow(Rebooting, Cause.KNOWN, InitReboot),
    Arrow(Attached, Cause.ACK, Bound),
    Arrow(Attached, Cause.NAK, Init),
    Arrow(Attached, Cause.SILENCE, Bound),
    # Woken on another network: its gateway, its server, or nobody at all answers.
    Arrow(Attached, Cause.KNOWN, Attached),
    Arrow(Attached, Cause.KNOWN, InitReboot),
    Arrow(Attached, Cause.NAK, InitReboot),
    Arrow(Attached, Cause.SILENCE, Init),
    *(Arrow(source, Cause.WOKEN, Attached) for source in (Bound, Renewing, Rebinding)),  # s3.7
)

_V6ONLY = (
    *(Arrow(source, Cause.V6ONLY, V6Only) for source in (Selecting, Requesting, Rebooting, Attached)),  # RFC 8925 s3.2
    Arrow(V6Only, Cause.WAITED, Init),
)

_LATE = (
    # A host that slept, or a lease that outran the check of its address, meets several deadlines at once.
    Arrow(Probing, Cause.EXPIRY, Init),
    Arrow(Bound, Cause.T2, Rebinding),
    Arrow(Bound, Cause.EXPIRY, Init),
    Arrow(Renewing, Cause.EXPIRY, Init),
    Arrow(Attached, Cause.EXPIRY, Init),
)

_DEFENCE = tuple(
    Arrow(source, Cause.CONFLICT, Backoff) for source in (Bound, Renewing, Rebinding, Attached)
)  # RFC 5227 s2.4

_RUNNING: tuple[type[State], ...] = (
    Init, Selecting, Requesting, InitReboot, Rebooting, Attached, Probing, Backoff, V6Only, Bound, Renewing, Rebinding,
)  # fmt: skip

_WORLD = (
    Arrow(Stopped, Cause.START, InitReboot),  # with a remembered lease
    Arrow(Stopped, Cause.START, Init),
    Arrow(Stopped, Cause.START, LinkDown),
    Arrow(LinkDown, Cause.LINK_UP, InitReboot),  # with a remembered lease, s3.7
    Arrow(LinkDown, Cause.LINK_UP, Init),
    Arrow(LinkDown, Cause.STOP, Stopped),
    Arrow(Bound, Cause.RENEW, Renewing),
    *(Arrow(source, Cause.LINK_DOWN, LinkDown) for source in _RUNNING),
    *(Arrow(source, Cause.STOP, Stopped) for source in _RUNNING),
)

ARROWS = frozenset((*_FIGURE_5, *_SILENCE, *_HEDGE, *_NETWORKS, *_V6ONLY, *_LATE, *_DEFENCE, *_WORLD))


def diagram() -> str:
    """The table as a Mermaid state diagram. The arrows that leave every running state alike are drawn once."""
    alike = {(arrow.cause, arrow.target) for arrow in _WORLD if arrow.source is Init}
    lines = ["stateDiagram-v2", "    [*] --> Stopped", "    state Running {"]
    inside, outside = [], []
    for arrow in sorted(ARROWS, key=lambda arrow: (arrow.source.__name__, arrow.target.__name__, arrow.cause)):
        source, cause, target = arrow.source, arrow.cause, arrow.target
        row = f"{source.__name__} --> {target.__name__}: {cause}"
        if source in _RUNNING and target in _RUNNING:
            inside.append("        " + row)
        elif source not in _RUNNING or (cause, target) not in alike:
            outside.append("    " + row)
    outside += [
        f"    Running --> {target.__name__}: {cause}" for cause, target in sorted(alike, key=lambda way: way[0])
    ]
    return "\n".join([*lines, *inside, "    }", *outside]) + "\n"
