"""What a client says of itself and asks for: the options of `relet client` that end up in its messages."""

import argparse

import msgspec

from relet.client.settings import ANONYMOUS_PARAMETERS, PARAMETERS, ClientSettings
from relet.run.values import is_host_name
from relet.wire import options
from relet.wire.address import parse_hex

HEXADECIMAL = "hex:"
"""Before the octets of an option's value, where they are no text."""


def add_to(reader: argparse.ArgumentParser) -> None:
    """Add the options to a command."""
    add = reader.add_argument
    add("--hostname", type=_host_name, default="", metavar="NAME", help="name to tell the server (option 12)")
    add(
        "--fqdn",
        default="",
        metavar="NAME",
        help="name for which the server may update DNS (option 81), in place of it",
    )
    add("--vendor-class", default="", metavar="TEXT", help="what kind of machine this is (option 60)")
    add("--user-class", default="", metavar="TEXT", help="what kind of user this is (option 77)")
    add("--request", type=_codes, default=(), metavar="OPTION,...", help="ask for these options too, by name or number")
    add(
        "--option",
        type=_option,
        action="append",
        default=[],
        metavar="OPTION=VALUE",
        help="send this option too: text, JSON, or octets as hex:01:52; may be repeated",
    )
    add("--anonymous", action="store_true", help="say no more than is needed, and remember no network (RFC 7844)")
    add("--ipv6-only", action="store_true", help="do without IPv4 where the network says so (RFC 8925)")
    add("--rapid-commit", action="store_true", help="allow a server to grant a lease in two messages (RFC 4039)")


def presented(said: argparse.Namespace, settings: ClientSettings) -> ClientSettings:
    """The settings with what was said. Raises ValueError for what does not go together."""
    if said.hostname and said.fqdn:
        raise ValueError("--fqdn is said in place of --hostname; leave one of them out")
    told = (said.hostname, said.fqdn, said.vendor_class, said.user_class, said.option, said.request, said.rapid_commit)
    if said.anonymous and any(told):
        raise ValueError("--anonymous says nothing of the client; leave out its names, classes and options")
    codes: dict[int, bytes] = {}
    for code, octets in said.option:
        if code in codes:
            raise ValueError(f"--option {options.option(code).name} stands twice; write all of its value in one")
        codes[code] = octets
    wanted = ANONYMOUS_PARAMETERS if said.anonymous else tuple(dict.fromkeys((*PARAMETERS, *said.request)))
    return msgspec.structs.replace(
        settings,
        hostname=said.hostname,
        fqdn=said.fqdn,
        vendor_class=said.vendor_class,
        user_class=said.user_class,
        parameters=wanted,
        extra=codes,
        anonymous=said.anonymous,
        ipv6_only=said.ipv6_only,
        rapid_commit=said.rapid_commit,
    )


def _host_name(text: str) -> str:
    if text and not is_host_name(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no name of a host; write letters, digits and hyphens, such as printer-2"
        )
    return text


def _codes(text: str) -> tuple[int, ...]:
    return tuple(_known(name.strip()).code for name in text.split(","))


def _option(text: str) -> tuple[int, bytes]:
    name, equals, value = text.partition("=")
    option = _known(name)
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} has no value; write {option.name}=VALUE")
    try:
        return option.code, _octets(option, value)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{option.name}: {error}") from None


def _octets(option: options.Option, value: str) -> bytes:
    if value.startswith(HEXADECIMAL):
        return parse_hex(value.removeprefix(HEXADECIMAL))
    try:
        configured: object = msgspec.json.decode(value)
    except msgspec.DecodeError:
        configured = value
    try:
        return option.parse(configured)
    except ValueError:
        return option.parse(value)  # a text that looks like JSON


def _known(name: str) -> options.Option:
    option = options.by_name(f"option-{name}" if name.isdecimal() else name)
    if option is None:
        raise argparse.ArgumentTypeError(
            f"{name!r} is no option; write a name such as domain-search, or a number from 1 to 254"
        )
    return option
