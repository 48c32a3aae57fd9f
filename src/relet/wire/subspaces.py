"""Sub-options of options other than 82: CableLabs (RFC 3495), mobility services (RFC 5678), vendors by enterprise."""

from collections.abc import Mapping

from relet.wire.compounds import ADDRESSES, UINT8S, Record, Tagged
from relet.wire.kinds import ADDRESS, BOOL, UINT8, UINT16, UINT32, Kind
from relet.wire.names import NAME, NAMES
from relet.wire.option import Option, row
from relet.wire.relayinfo import SUBOPTIONS, Suboptions
from relet.wire.texts import TEXT

_SERVER = Tagged("record(uint8,fqdn or ip)", 2, choices=((0, "name", NAME), (1, "address", ADDRESS)))
_BACKOFF = Record.of(("timeout", UINT32), ("longest", UINT32), ("retries", UINT32))


def _space(*rows: Option) -> Mapping[int, Option]:
    return {each.code: each for each in rows}


def _mobility(kind: Kind) -> Mapping[int, Option]:
    """Addresses in option 139, names in 140 (RFC 5678 s2, s3)."""
    return _space(
        row("mos", 1, "is", "Information Service", kind),
        row("mos", 2, "cs", "Command Service", kind),
        row("mos", 3, "es", "Event Service", kind),
    )


MOS_ADDRESSES = Suboptions("suboptions", 2, rows=_mobility(ADDRESSES))
MOS_NAMES = Suboptions("suboptions", 2, rows=_mobility(NAMES))

CABLELABS = Suboptions(
    "suboptions",
    2,
    rows=_space(
        row("ccc", 1, "tsp-primary-server", "TSP Primary DHCP Server", ADDRESS),
        row("ccc", 2, "tsp-secondary-server", "TSP Secondary DHCP Server", ADDRESS),
        row("ccc", 3, "tsp-provisioning-server", "TSP Provisioning Server", _SERVER),
        row("ccc", 4, "tsp-as-parameters", "AS-REQ/AS-REP Backoff and Retry", _BACKOFF),
        row("ccc", 5, "tsp-ap-parameters", "AP-REQ/AP-REP Backoff and Retry", _BACKOFF),
        row("ccc", 6, "tsp-realm", "Kerberos Realm", NAME),
        row("ccc", 7, "tsp-use-tgt", "Ticket Granting Server Utilization", BOOL),
        row("ccc", 8, "tsp-provisioning-timer", "Provisioning Timer", UINT8),
        row("ccc", 9, "tsp-sct", "Security Ticket Control", UINT16),
        row("ccc", 10, "kdc-server", "KDC Server Addresses", ADDRESSES),
    ),
)

BROADBAND_FORUM = Suboptions(
    "suboptions",
    2,
    rows=_space(
        row("vivso-3561", 1, "manufacturer-oui", "Device Manufacturer OUI", TEXT),
        row("vivso-3561", 2, "serial-number", "Device Serial Number", TEXT),
        row("vivso-3561", 3, "product-class", "Device Product Class", TEXT),
        row("vivso-3561", 4, "gateway-manufacturer-oui", "Gateway Manufacturer OUI", TEXT),
        row("vivso-3561", 5, "gateway-serial-number", "Gateway Serial Number", TEXT),
        row("vivso-3561", 6, "gateway-product-class", "Gateway Product Class", TEXT),
        row("vivso-3561", 11, "acs-url", "ACS URL", TEXT),
        row("vivso-3561", 12, "provisioning-code", "Provisioning Code", TEXT),
        row("vivso-3561", 13, "cwmp-retry-minimum", "CWMP Retry Minimum Interval", TEXT),
        row("vivso-3561", 14, "cwmp-retry-multiplier", "CWMP Retry Interval Multiplier", TEXT),
    ),
)

CABLE_DEVICES = Suboptions(
    "suboptions",
    2,
    rows=_space(
        row("vivso-4491", 1, "option-request", "Option Request", UINT8S),
        row("vivso-4491", 2, "tftp-servers", "TFTP Servers", ADDRESSES),
        row("vivso-4491", 3, "erouter-container", "eRouter Container", SUBOPTIONS, least=1),
        row("vivso-4491", 4, "mib-environment", "MIB Environment Indicator", UINT8),
        row("vivso-4491", 5, "modem-capabilities", "Modem Capabilities", SUBOPTIONS, least=1),
    ),
)

BY_ENTERPRISE = {3561: BROADBAND_FORUM, 4491: CABLE_DEVICES}
"""Sub-options of option 125 by enterprise number: the Broadband Forum and CableLabs."""
