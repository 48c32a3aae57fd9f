"""What the Host Requirements say where an operator says nothing: code -> octets of each parameter that has a default.

RFC 2131 s4.3.1 and its appendix A; beside each stands the section that has the default. A client that follows them has the
same without being told, so this is sent only where the operator wants it.
"""

from relet.wire.address import parse_ip
from relet.wire.options import (
    ALL_SUBNETS_LOCAL,
    ARP_CACHE_TIMEOUT,
    DEFAULT_IP_TTL,
    DEFAULT_TCP_TTL,
    IEEE802_3_ENCAPSULATION,
    IP_FORWARDING,
    MASK_SUPPLIER,
    MAX_DGRAM_REASSEMBLY,
    NON_LOCAL_SOURCE_ROUTING,
    PATH_MTU_AGING_TIMEOUT,
    PATH_MTU_PLATEAU_TABLE,
    PERFORM_MASK_DISCOVERY,
    ROUTER_DISCOVERY,
    ROUTER_SOLICITATION_ADDRESS,
    TCP_KEEPALIVE_GARBAGE,
    TCP_KEEPALIVE_INTERVAL,
    TRAILER_ENCAPSULATION,
)

HOST_DEFAULTS = {
    row.code: row.encode(value)
    for row, value in (
        (IP_FORWARDING, False),  # RFC 1122 s3.1
        (NON_LOCAL_SOURCE_ROUTING, False),  # RFC 1122 s3.3.5
        (MAX_DGRAM_REASSEMBLY, 576),  # RFC 1122 s3.3.2
        (DEFAULT_IP_TTL, 64),  # RFC 1122 s3.2.1.7, RFC 1700
        (PATH_MTU_AGING_TIMEOUT, 600),  # RFC 1191 s6.3
        (PATH_MTU_PLATEAU_TABLE, (68, 296, 508, 1006, 1492, 2002, 4352, 8166, 17914, 32000, 65535)),  # RFC 1191 s7.1
        (ALL_SUBNETS_LOCAL, False),  # RFC 1122 s3.3.3
        (PERFORM_MASK_DISCOVERY, False),  # RFC 1122 s3.2.2.9
        (MASK_SUPPLIER, False),  # RFC 1122 s3.2.2.9
        (ROUTER_DISCOVERY, True),  # RFC 1256 s5.1
        (ROUTER_SOLICITATION_ADDRESS, parse_ip("224.0.0.2")),  # RFC 1256 s5.1
        (TRAILER_ENCAPSULATION, False),  # RFC 1122 s2.3.1
        (ARP_CACHE_TIMEOUT, 60),  # RFC 1122 s2.3.2.1
        (IEEE802_3_ENCAPSULATION, False),  # RFC 1122 s2.3.3
        (DEFAULT_TCP_TTL, 64),  # RFC 1122 s4.2.2.1
        (TCP_KEEPALIVE_INTERVAL, 7200),  # RFC 1122 s4.2.3.6
        (TCP_KEEPALIVE_GARBAGE, False),  # RFC 1122 s4.2.3.6
    )
}
