"""What the client says: one builder per meaning (RFC 2131 table 4 for the four kinds of DHCPREQUEST, table 5 for all).

A builder gives the `Send` effect with message and route. `secs` is the field's value; when to send is not known here.
"""

from collections.abc import Mapping

from relet.client.settings import ClientSettings
from relet.client.states import Attached, Rebinding, Rebooting, Renewing, Requesting, Selecting, State
from relet.model.effects import SERVER_PORT, Send
from relet.wire import message, options
from relet.wire.address import BROADCAST, BROADCAST_MAC
from relet.wire.message import Message
from relet.wire.options import MessageType


def question(settings: ClientSettings, state: State, wish: int = 0) -> Send:
    """What a state that waits for servers asks them. wish: the address suggested in a DHCPDISCOVER."""
    match state:
        case Selecting(ask=ask):
            return discover(settings, ask.xid, ask.secs, wish)
        case Requesting(ask=ask, offer=offer):
            return selecting(settings, ask.xid, ask.secs, offer.address, offer.server)
        case Rebooting(ask=ask, lease=lease):
            return init_reboot(settings, ask.xid, ask.secs, lease.binding.address)
        case Attached(ask=ask, held=held):
            return init_reboot(settings, ask.xid, ask.secs, held.binding.address)
        case Renewing(ask=ask, held=held):
            return renewing(settings, ask.xid, ask.secs, held.binding.address, held.binding.server)
        case Rebinding(ask=ask, held=held):
            return rebinding(settings, ask.xid, ask.secs, held.binding.address)
        case _:
            raise RuntimeError(f"{state!r} asks nothing")


def discover(settings: ClientSettings, xid: int, secs: int, suggestion: int = 0) -> Send:
    """DHCPDISCOVER. suggestion: an address that we once had and would like again (s4.4.1), 0 for none."""
    # RFC 7844 s3.3: an anonymous client tells nobody which address it had.
    wish = _address(options.REQUESTED_ADDRESS, suggestion) if suggestion and not settings.anonymous else {}
    rapid = {options.RAPID_COMMIT.code: b""} if settings.rapid_commit and not settings.anonymous else {}
    return _broadcast(settings, _asking(settings, MessageType.DISCOVER, xid, secs, wish | rapid))


def selecting(settings: ClientSettings, xid: int, secs: int, address: int, server: int) -> Send:
    """DHCPREQUEST that takes the offer of `address` by `server`."""
    chosen = _address(options.REQUESTED_ADDRESS, address) | _address(options.SERVER_IDENTIFIER, server)
    return _broadcast(settings, _asking(settings, MessageType.REQUEST, xid, secs, chosen))


def init_reboot(settings: ClientSettings, xid: int, secs: int, address: int) -> Send:
    """DHCPREQUEST that asks whether the remembered `address` may be used still (s3.2): no server named, ciaddr zero."""
    remembered = _address(options.REQUESTED_ADDRESS, address)
    return _broadcast(settings, _asking(settings, MessageType.REQUEST, xid, secs, remembered))


def renewing(settings: ClientSettings, xid: int, secs: int, address: int, server: int) -> Send:
    """DHCPREQUEST that asks the granting `server` to extend the lease."""
    return _unicast(settings, _asking(settings, MessageType.REQUEST, xid, secs, {}, address), address, server)


def rebinding(settings: ClientSettings, xid: int, secs: int, address: int) -> Send:
    """DHCPREQUEST that asks any server to extend the lease."""
    return _broadcast(settings, _asking(settings, MessageType.REQUEST, xid, secs, {}, address), source=address)


def inform(settings: ClientSettings, xid: int, secs: int, address: int, server: int = 0) -> Send:
    """DHCPINFORM from a host that has its `address` from elsewhere (s4.4.3); broadcast unless a server is known."""
    asked = _asking(settings, MessageType.INFORM, xid, secs, {}, address)
    return _unicast(settings, asked, address, server) if server else _broadcast(settings, asked, source=address)


def decline(settings: ClientSettings, xid: int, address: int, server: int, why: str) -> Send:
    """DHCPDECLINE: somebody else uses `address` (s4.4.4: broadcast)."""
    about = _address(options.REQUESTED_ADDRESS, address)
    return _broadcast(settings, _telling(settings, MessageType.DECLINE, xid, about, server, why))


def release(settings: ClientSettings, xid: int, address: int, server: int, why: str) -> Send:
    """DHCPRELEASE: `address` is given back (s4.4.4: unicast)."""
    return _unicast(settings, _telling(settings, MessageType.RELEASE, xid, {}, server, why, address), address, server)


def _asking(
    settings: ClientSettings, kind: MessageType, xid: int, secs: int, about: Mapping[int, bytes], ciaddr: int = 0
) -> Message:
    """A message that wants an answer, with all that the client says of itself (table 5)."""
    carried = _head(settings, kind) | dict(about)
    if parameters := _parameters(settings, xid):
        carried[options.PARAMETER_REQUEST_LIST.code] = bytes(parameters)
    if not settings.anonymous:
        carried |= _oneself(settings, kind)
    # s4.1: a client with an address can receive unicast and leaves the flag clear.
    flags = message.BROADCAST_FLAG if settings.broadcast_flag and not ciaddr else 0
    return _message(settings, xid, carried, ciaddr=ciaddr, secs=secs, flags=flags)


def _parameters(settings: ClientSettings, xid: int) -> tuple[int, ...]:
    """Option 55. RFC 8925 s3.2: a host that can do without IPv4 asks whether it may, in every request."""
    asked = settings.parameters
    if settings.ipv6_only and options.V6_ONLY_PREFERRED.code not in asked:
        asked = (*asked, options.V6_ONLY_PREFERRED.code)
    if settings.anonymous:
        # RFC 7844 s3.6: in an order that tells nothing of the program; the xid is random, so this is too.
        asked = tuple(sorted(asked, key=lambda code: (xid | 1) * (code * 2 + 1) * 0x9E3779B1 % 0xFFFFFFFB))
    return _classless_first(asked) if options.CLASSLESS_ROUTES.code in asked else asked


def _classless_first(asked: tuple[int, ...]) -> tuple[int, ...]:
    """RFC 3442: whoever asks for classless routes asks for routers too, and for neither these nor static routes before."""
    classless, routers = options.CLASSLESS_ROUTES.code, options.ROUTERS.code
    others = [code for code in asked if code != classless]
    if routers not in others:
        others.append(routers)
    behind = min(at for at, code in enumerate(others) if code in (routers, options.STATIC_ROUTES.code))
    others.insert(min(asked.index(classless), behind), classless)
    return tuple(others)


def _oneself(settings: ClientSettings, kind: MessageType) -> dict[int, bytes]:
    """What a client says of itself and wishes, beyond what it must."""
    said = dict(settings.extra)
    # Table 5: no lease time in DHCPINFORM.
    if settings.lease_time is not None and kind is not MessageType.INFORM:
        said[options.LEASE_TIME.code] = settings.lease_time.to_bytes(4)
    said[options.MAX_MESSAGE_SIZE.code] = settings.max_message_size.to_bytes(2)
    if settings.vendor_class:
        said[options.VENDOR_CLASS.code] = settings.vendor_class.encode()
    if settings.user_class:
        octets = settings.user_class.encode()
        said[options.USER_CLASS.code] = bytes((len(octets),)) + octets
    if settings.fqdn:
        # RFC 4702 s3.1: then without option 12.
        said[options.FQDN.code] = settings.fqdn_octets()
    elif settings.hostname:
        said[options.HOST_NAME.code] = settings.hostname.encode()
    return said


def _telling(
    settings: ClientSettings,
    kind: MessageType,
    xid: int,
    about: Mapping[int, bytes],
    server: int,
    why: str,
    ciaddr: int = 0,
) -> Message:
    """A message that wants no answer: secs and flags zero, nothing but what the server needs to know (table 5)."""
    carried = _head(settings, kind) | dict(about) | _address(options.SERVER_IDENTIFIER, server)
    if not settings.anonymous:  # RFC 7844 s3
        carried[options.MESSAGE.code] = why.encode()
    return _message(settings, xid, carried, ciaddr=ciaddr, secs=0, flags=0)


def _head(settings: ClientSettings, kind: MessageType) -> dict[int, bytes]:
    """Option 53, and option 61 if there is one: the same in every message (s2)."""
    head = {options.MESSAGE_TYPE.code: bytes((kind,))}
    identifier = settings.identifier
    return head if identifier is None else head | {options.CLIENT_IDENTIFIER.code: identifier}


def _address(option: options.Option, address: int) -> dict[int, bytes]:
    return {option.code: address.to_bytes(4)}


def _message(
    settings: ClientSettings, xid: int, carried: dict[int, bytes], *, ciaddr: int, secs: int, flags: int
) -> Message:
    return Message(
        op=message.BOOTREQUEST,
        xid=xid,
        htype=settings.htype,
        secs=secs,
        flags=flags,
        ciaddr=ciaddr,
        chaddr=settings.mac,
        # RFC 7844 s3.1: an order that tells nothing of the program.
        options=dict(sorted(carried.items())) if settings.anonymous else carried,
    )


def _broadcast(settings: ClientSettings, said: Message, source: int = 0) -> Send:
    """To everybody on the link, as a frame: the kernel has no address and no route to use yet (s4.1)."""
    return Send(message.encode(said), BROADCAST, SERVER_PORT, source, settings.interface, BROADCAST_MAC)


def _unicast(settings: ClientSettings, said: Message, address: int, server: int) -> Send:
    """To one server, through the kernel, from our address."""
    return Send(message.encode(said), server, SERVER_PORT, address, settings.interface)
