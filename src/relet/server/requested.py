"""From a message to the request that is decided: what kind it is, where it comes from, and who asks, known as whom."""

from relet.model.events import Arrival
from relet.model.ident import client_key
from relet.server.classify import Kind, Request, classify
from relet.server.identify import Directory
from relet.server.leasequery import Leasequeries
from relet.server.relayed import NOTHING_SAID
from relet.wire.message import Message
from relet.wire.options import CLIENT_IDENTIFIER, RELAY_AGENT_INFORMATION

_CLIENT_ID, _RELAY_INFO = CLIENT_IDENTIFIER.code, RELAY_AGENT_INFORMATION.code


def requested(message: Message, arrival: Arrival, directory: Directory, queries: Leasequeries) -> Request:
    """The request in a message. Raises WireError that names why it is none that a server answers."""
    relayed = directory.relays.of(message)
    kind, address, server = classify(message, arrival, relayed)
    if kind is Kind.LEASEQUERY:
        return queries.request(message, arrival, relayed)
    place = directory.place(arrival, message, relayed)
    site = place.site
    client_id = message.options.get(_CLIENT_ID)
    hardware = bytes((message.htype,)) + message.chaddr
    if site is None:
        client = client_key(client_id, message.htype, message.chaddr)
        return Request(kind, message, arrival, None, client, hardware, address, server, place=place, relayed=relayed)
    client = site.client(client_id, hardware)
    info = message.options.get(_RELAY_INFO)
    if info is not None and not message.giaddr and not site.network.trust_relay_information:
        info, relayed = None, NOTHING_SAID  # it goes back as it came, and decides nothing
    reservation, classes = site.recognise(message, arrival, info)
    return Request(
        kind, message, arrival, site, client, hardware, address, server, reservation, classes, place, relayed
    )
