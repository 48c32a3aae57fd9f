"""What a running client tells its operator: values with a name, a line for people, and the lease it is about.

Words only; what they are printed as is the command's business.
"""

from math import inf

import msgspec

from relet.client.accept import MIN_LEASE_TIME, Drop
from relet.client.states import (
    Attached,
    Backoff,
    LinkDown,
    Probing,
    Rebinding,
    Rebooting,
    Renewing,
    Requesting,
    Selecting,
    State,
    V6Only,
)
from relet.model.effects import Binding, Configure, Deconfigure
from relet.run.plan import UNRESTRICTED, plan
from relet.wire.address import ip_text

CONFIGURED = {
    "bound": "new",
    "reboot": "reboot: confirmed",
    "renew": "renewed",
    "rebind": "renewed by whoever answered",
    "network": "remembered: its gateway is here",
    "remembered": "remembered: nobody answered",
}
"""Why an address is set, by cause of Configure."""

DECONFIGURED = {
    "expire": "its lease is over",
    "nak": "the server says no",
    "release": "released",
    "stop": "stopping; the lease stays remembered",
    "conflict": "another host uses it",
    "link-down": "the link is down; the lease stays remembered",
    "moved": "this is another network; the lease stays remembered",
    "ipv6-only": "this network needs no IPv4; the lease stays remembered",
}
"""Why an address is taken away, by cause of Deconfigure."""

IGNORED = {
    Drop.NO_SERVER_IDENTIFIER: "it does not say which server it is from",
    Drop.BAD_ADDRESS: "no host here can have that address",
    Drop.NO_LEASE_TIME: "it does not say for how long",
    Drop.SHORT_LEASE_TIME: f"its lease lasts less than {MIN_LEASE_TIME} s",
    Drop.OTHER_ADDRESS: "it is for another address than the one that was asked for",
}
"""What is wrong with answers that were meant for us, by the name under which they are dropped: somebody who runs a server
should know. What others say to each other is only counted."""

UNTOLD = "given up, but its server could not be told"
"""In place of 'released', if that is not true."""


UNWRITTEN = "stopping; the lease could not be written down, so the next client may not know of it"
"""In place of the words for 'stop', if those are not true."""


class Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="kebab"):
    """Something that happened. event: kebab-case name; text: for people; at, expires: seconds since 1970; the fields
    from `cause` on are there if a lease was put on or taken off the interface. captive_portal: a URI, or
    'urn:ietf:params:capport:unrestricted' (RFC 8910). server_told: False if a lease was given up without its server."""

    event: str
    text: str
    at: float
    interface: str
    cause: str = ""
    address: str = ""
    prefix: int | None = None
    server: str = ""
    lease_time: int | None = None
    expires: float | None = None
    captive_portal: str = ""
    server_told: bool = True


def configured(effect: Configure, interface: str, at: float) -> Told:
    """An address is on the interface."""
    binding = effect.binding
    return _about(binding, "bound", _bound_text(binding, effect.cause, at), effect.cause, interface, at)


def deconfigured(
    effect: Deconfigure, interface: str, at: float, server_told: bool = True, written: bool = True
) -> Told:
    """An address is no longer on the interface. server_told: False if a DHCPRELEASE could not be sent. written: has the
    lease file what is remembered?"""
    why = DECONFIGURED[effect.cause] if server_told else UNTOLD
    if not written and effect.cause == "stop":
        why = UNWRITTEN
    text = f"{ip_text(effect.binding.address)} taken away: {why}"
    about = _about(effect.binding, "unbound", text, effect.cause, interface, at)
    return msgspec.structs.replace(about, server_told=server_told)


def state_name(state: State) -> str:
    """'INIT-REBOOT', 'BOUND', 'LINK-DOWN': a state as RFC 2131 writes it, those of our own like that."""
    name = type(state).__name__
    return "".join(f"-{letter}" if letter.isupper() else letter for letter in name).strip("-").upper()


def state_line(state: State) -> str:
    """What the client is doing now; nothing for the states that something else is told of."""
    match state:
        case Rebooting(lease=lease):
            return f"asking whether {ip_text(lease.binding.address)} may still be used (INIT-REBOOT)"
        case Selecting():
            return "looking for a server"
        case Requesting(offer=offer):
            return f"taking {ip_text(offer.address)}, offered by {ip_text(offer.server)}"
        case Probing(held=held):
            return f"checking that nobody else uses {ip_text(held.binding.address)}"
        case Renewing(held=held):
            return f"asking {ip_text(held.binding.server)} to extend the lease of {ip_text(held.binding.address)}"
        case Rebinding(held=held):
            return f"asking any server to extend the lease of {ip_text(held.binding.address)}"
        case Attached(held=held):
            return f"asking whether {ip_text(held.binding.address)} may be used on"
        case V6Only():
            return "doing without IPv4"
        case Backoff():
            return "waiting before starting anew"
        case LinkDown():
            return "waiting for the link"
        case _:
            return ""


def duration(seconds: float) -> str:
    """'8 h', '1 h 30 min', '45 s', 'ever'."""
    if seconds == inf:
        return "ever"
    left, parts = int(seconds), []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        if left >= size:
            parts.append(f"{left // size} {unit}")
            left %= size
    return " ".join(parts[:2]) or "0 s"


def _bound_text(binding: Binding, cause: str, at: float) -> str:
    wanted = plan(binding)
    # What a server just granted is told as it granted it; of a lease used without an answer, the rest counts.
    whole = inf if binding.expires() == inf else binding.lease_time
    lasts = duration(binding.expires() - at if cause in ("network", "remembered") else whole)
    why = CONFIGURED[cause]
    portal = f"; captive portal {wanted.captive_portal}" if wanted.captive_portal not in ("", UNRESTRICTED) else ""
    return (
        f"bound to {ip_text(binding.address)}/{wanted.width} by {ip_text(binding.server)} for {lasts} ({why}){portal}"
    )


def _about(binding: Binding, event: str, text: str, cause: str, interface: str, at: float) -> Told:
    wanted = plan(binding)
    return Told(
        event=event,
        text=text,
        at=at,
        interface=interface,
        cause=cause,
        address=ip_text(binding.address),
        prefix=wanted.width,
        server=ip_text(binding.server),
        lease_time=binding.lease_time,
        expires=wanted.expires,
        captive_portal=wanted.captive_portal,
    )
