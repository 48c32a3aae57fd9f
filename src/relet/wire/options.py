"""Every option that relet knows, one row each: code, name, title and kind.

Decoding, encoding, text, configuration names and the comparison with the registry follow from the row; a new option is
one new row. Names are those of the registry as Kea writes them. Pad, end and what a message does with them are layout
and stand in message.py.
"""

from collections.abc import Mapping
from types import MappingProxyType

from relet.wire import shapes
from relet.wire.codes import (
    AUTO_CONFIGS,
    CLIENT_ARCHITECTURES,
    DHCP_STATES,
    MESSAGE_TYPES,
    NETBIOS_NODE_TYPES,
)
from relet.wire.codes import MessageType as MessageType  # noqa: PLC0414 - found here by those who use the options
from relet.wire.compounds import ADDRESSES, UINT8S, UINT16S, USER_CLASSES, List
from relet.wire.kinds import (
    ADDRESS,
    ADDRESS6,
    BOOL,
    FIRST_OCTET,
    INT32,
    NOTHING,
    UINT8,
    UINT16,
    UINT32,
    Kind,
    Value,
)
from relet.wire.layout import END, PAD
from relet.wire.names import CLIENT_NAME, NAME, NAMES, PLAIN_NAMES
from relet.wire.option import Option as Option  # noqa: PLC0414 - found here by those who use the options
from relet.wire.option import numbered, row
from relet.wire.relayinfo import ENCAPSULATED, SUBOPTIONS, Suboptions
from relet.wire.routes import ROUTES
from relet.wire.subspaces import CABLELABS, MOS_ADDRESSES, MOS_NAMES
from relet.wire.texts import BINARY, TEXT, octets
from relet.wire.vendor import VENDOR_CLASSES


def option(code: int) -> Option:
    """The row of an option; of an unknown code, one of octets named 'option-<code>'."""
    known = OPTIONS.get(code)
    return row("dhcp4", code, f"option-{code}", f"Option {code}", BINARY, 0) if known is None else known


def by_name(name: str) -> Option | None:
    """The row that configuration calls `name`, also by 'option-<code>'; None if there is none.

    Pad and end have no row: they are layout.
    """
    known = _BY_NAME.get(name)
    if known is not None:
        return known
    code = numbered(name)
    return None if code is None or code in (PAD, END) else option(code)


class Codes(List, frozen=True):
    """tuple of int: option codes, by name in text and configuration."""

    def parse(self, configured: object) -> tuple[int, ...]:
        return tuple(map(_code, configured if isinstance(configured, list | tuple) else [configured]))

    def text(self, value: Value) -> str:
        return ", ".join(option(code).name for code in value)

    def plain(self, value: Value) -> object:
        return [option(code).name for code in value]


def _code(configured: object) -> int:
    if isinstance(configured, str):
        known = _BY_NAME.get(configured)
        code = numbered(configured) if known is None else known.code
        if code is not None:
            return code
    if type(configured) is not int:
        raise ValueError(f'{configured!r} is neither the name of an option, such as "routers", nor its number')
    return configured


def _relay(code: int, name: str, title: str, kind: Kind, least: int | None = None) -> Option:
    return row("relay-agent", code, name, title, kind, least)


def _dhcp4(code: int, name: str, title: str, kind: Kind, least: int | None = None) -> Option:
    return row("dhcp4", code, name, title, kind, least)


def _space(space: str) -> Mapping[int, Option]:
    """The rows of a space among the constants above the call."""
    rows = [each for each in globals().values() if isinstance(each, Option) and each.space == space]
    return MappingProxyType({each.code: each for each in rows})


# Sub-options of the relay agent information, option 82.
CIRCUIT_ID = _relay(1, "circuit-id", "Agent Circuit ID", BINARY)
REMOTE_ID = _relay(2, "remote-id", "Agent Remote ID", BINARY)
AGENT_ID = _relay(3, "agent-id", "(reserved, proprietary use seen)", ADDRESS)
DOCSIS_DEVICE_CLASS = _relay(4, "docsis-device-class", "DOCSIS Device Class", UINT32)
LINK_SELECTION = _relay(5, "link-selection", "Link Selection", ADDRESS)
SUBSCRIBER_ID = _relay(6, "subscriber-id", "Subscriber ID", TEXT)
RELAY_RADIUS = _relay(7, "radius", "RADIUS Attributes", SUBOPTIONS, least=1)
RELAY_AUTH = _relay(8, "auth", "Authentication", BINARY)
RELAY_VENDOR_SPECIFIC_INFO = _relay(9, "vendor-specific-info", "Vendor-Specific Information", shapes.VENDORS)
RELAY_FLAGS = _relay(10, "relay-flags", "Relay Agent Flags", FIRST_OCTET)
SERVER_ID_OVERRIDE = _relay(11, "server-id-override", "Server Identifier Override", ADDRESS)
RELAY_ID = _relay(12, "relay-id", "Relay Agent Identifier", BINARY)
ACCESS_TECHNO_TYPE = _relay(13, "access-techno-type", "Access Technology Type", shapes.TECHNOLOGY)
ACCESS_NETWORK_NAME = _relay(14, "access-network-name", "Access Network Name", TEXT)
ACCESS_POINT_NAME = _relay(15, "access-point-name", "Access Point Name", TEXT)
ACCESS_POINT_BSSID = _relay(16, "access-point-bssid", "Access Point BSSID", octets(6))
OPERATOR_ID = _relay(17, "operator-id", "Operator Identifier", UINT32)
OPERATOR_REALM = _relay(18, "operator-realm", "Operator Realm", TEXT)
RELAY_PORT = _relay(19, "relay-port", "Relay Source Port", NOTHING)
RELAY_VSS = _relay(151, "virtual-subnet-select", "Virtual Subnet Selection", shapes.VIRTUAL_SUBNET)
RELAY_VSS_CONTROL = _relay(152, "virtual-subnet-select-ctrl", "Virtual Subnet Selection Control", NOTHING)

RELAY = _space("relay-agent")
"""Code -> row of the sub-options of option 82."""

_RELAY = Suboptions("suboptions", 2, rows=RELAY)
_CODES = Codes("uint8-list", 1, None, 1, 0, UINT8)

# The options of a message.
SUBNET_MASK = _dhcp4(1, "subnet-mask", "Subnet Mask", ADDRESS)
TIME_OFFSET = _dhcp4(2, "time-offset", "Time Offset", INT32)
ROUTERS = _dhcp4(3, "routers", "Router", ADDRESSES)
TIME_SERVERS = _dhcp4(4, "time-servers", "Time Server (RFC 868)", ADDRESSES)
NAME_SERVERS = _dhcp4(5, "name-servers", "Name Server (IEN 116)", ADDRESSES)
DOMAIN_NAME_SERVERS = _dhcp4(6, "domain-name-servers", "Domain Name Server", ADDRESSES)
LOG_SERVERS = _dhcp4(7, "log-servers", "Log Server (MIT-LCS UDP)", ADDRESSES)
COOKIE_SERVERS = _dhcp4(8, "cookie-servers", "Cookie (Quotes) Server (RFC 865)", ADDRESSES)
LPR_SERVERS = _dhcp4(9, "lpr-servers", "LPR Server", ADDRESSES)
IMPRESS_SERVERS = _dhcp4(10, "impress-servers", "Imagen Impress Server", ADDRESSES)
RESOURCE_LOCATION_SERVERS = _dhcp4(11, "resource-location-servers", "Resource Location Server (RFC 887)", ADDRESSES)
HOST_NAME = _dhcp4(12, "host-name", "Host Name", TEXT)
BOOT_SIZE = _dhcp4(13, "boot-size", "Boot File Size", UINT16)
MERIT_DUMP = _dhcp4(14, "merit-dump", "Merit Dump File", TEXT)
DOMAIN_NAME = _dhcp4(15, "domain-name", "Domain Name", TEXT)
SWAP_SERVER = _dhcp4(16, "swap-server", "Swap Server", ADDRESS)
ROOT_PATH = _dhcp4(17, "root-path", "Root Path", TEXT)
EXTENSIONS_PATH = _dhcp4(18, "extensions-path", "Extensions Path", TEXT)
IP_FORWARDING = _dhcp4(19, "ip-forwarding", "IP Forwarding", BOOL)
NON_LOCAL_SOURCE_ROUTING = _dhcp4(20, "non-local-source-routing", "Non-Local Source Routing", BOOL)
POLICY_FILTER = _dhcp4(21, "policy-filter", "Policy Filter", shapes.FILTERS)
MAX_DGRAM_REASSEMBLY = _dhcp4(22, "max-dgram-reassembly", "Maximum Datagram Reassembly Size", UINT16)
DEFAULT_IP_TTL = _dhcp4(23, "default-ip-ttl", "Default IP TTL", UINT8)
PATH_MTU_AGING_TIMEOUT = _dhcp4(24, "path-mtu-aging-timeout", "Path MTU Aging Timeout", UINT32)
PATH_MTU_PLATEAU_TABLE = _dhcp4(25, "path-mtu-plateau-table", "Path MTU Plateau Table", UINT16S)
INTERFACE_MTU = _dhcp4(26, "interface-mtu", "Interface MTU", UINT16)
ALL_SUBNETS_LOCAL = _dhcp4(27, "all-subnets-local", "All Subnets Are Local", BOOL)
BROADCAST_ADDRESS = _dhcp4(28, "broadcast-address", "Broadcast Address", ADDRESS)
PERFORM_MASK_DISCOVERY = _dhcp4(29, "perform-mask-discovery", "Perform Mask Discovery", BOOL)
MASK_SUPPLIER = _dhcp4(30, "mask-supplier", "Mask Supplier", BOOL)
ROUTER_DISCOVERY = _dhcp4(31, "router-discovery", "Perform Router Discovery", BOOL)
ROUTER_SOLICITATION_ADDRESS = _dhcp4(32, "router-solicitation-address", "Router Solicitation Address", ADDRESS)
STATIC_ROUTES = _dhcp4(33, "static-routes", "Static Route (classful)", shapes.CLASSFUL_ROUTES)
TRAILER_ENCAPSULATION = _dhcp4(34, "trailer-encapsulation", "Trailer Encapsulation", BOOL)
ARP_CACHE_TIMEOUT = _dhcp4(35, "arp-cache-timeout", "ARP Cache Timeout", UINT32)
IEEE802_3_ENCAPSULATION = _dhcp4(36, "ieee802-3-encapsulation", "Ethernet Encapsulation", BOOL)
DEFAULT_TCP_TTL = _dhcp4(37, "default-tcp-ttl", "TCP Default TTL", UINT8)
TCP_KEEPALIVE_INTERVAL = _dhcp4(38, "tcp-keepalive-interval", "TCP Keepalive Interval", UINT32)
TCP_KEEPALIVE_GARBAGE = _dhcp4(39, "tcp-keepalive-garbage", "TCP Keepalive Garbage", BOOL)
NIS_DOMAIN = _dhcp4(40, "nis-domain", "NIS Domain", TEXT)
NIS_SERVERS = _dhcp4(41, "nis-servers", "NIS Servers", ADDRESSES)
NTP_SERVERS = _dhcp4(42, "ntp-servers", "NTP Servers", ADDRESSES)
VENDOR_OPTIONS = _dhcp4(43, "vendor-encapsulated-options", "Vendor-Specific Information", ENCAPSULATED)
NETBIOS_NAME_SERVERS = _dhcp4(44, "netbios-name-servers", "NetBIOS Name Server (WINS)", ADDRESSES)
NETBIOS_DD_SERVER = _dhcp4(45, "netbios-dd-server", "NetBIOS Datagram Distribution Server", ADDRESSES)
NETBIOS_NODE_TYPE = _dhcp4(46, "netbios-node-type", "NetBIOS Node Type", NETBIOS_NODE_TYPES)
NETBIOS_SCOPE = _dhcp4(47, "netbios-scope", "NetBIOS Scope", TEXT)
FONT_SERVERS = _dhcp4(48, "font-servers", "X Window Font Server", ADDRESSES)
X_DISPLAY_MANAGER = _dhcp4(49, "x-display-manager", "X Window Display Manager", ADDRESSES)
REQUESTED_ADDRESS = _dhcp4(50, "dhcp-requested-address", "Requested IP Address", ADDRESS)
LEASE_TIME = _dhcp4(51, "dhcp-lease-time", "IP Address Lease Time", UINT32)
OPTION_OVERLOAD = _dhcp4(52, "dhcp-option-overload", "Option Overload", UINT8)
MESSAGE_TYPE = _dhcp4(53, "dhcp-message-type", "DHCP Message Type", MESSAGE_TYPES)
SERVER_IDENTIFIER = _dhcp4(54, "dhcp-server-identifier", "Server Identifier", ADDRESS)
PARAMETER_REQUEST_LIST = _dhcp4(55, "dhcp-parameter-request-list", "Parameter Request List", _CODES)
MESSAGE = _dhcp4(56, "dhcp-message", "Message", TEXT)
MAX_MESSAGE_SIZE = _dhcp4(57, "dhcp-max-message-size", "Maximum DHCP Message Size", UINT16)
RENEWAL_TIME = _dhcp4(58, "dhcp-renewal-time", "Renewal Time (T1)", UINT32)
REBINDING_TIME = _dhcp4(59, "dhcp-rebinding-time", "Rebinding Time (T2)", UINT32)
VENDOR_CLASS = _dhcp4(60, "vendor-class-identifier", "Vendor Class Identifier", TEXT)
CLIENT_IDENTIFIER = _dhcp4(61, "dhcp-client-identifier", "Client Identifier", BINARY)
NWIP_DOMAIN_NAME = _dhcp4(62, "nwip-domain-name", "NetWare/IP Domain Name", TEXT)
NWIP_SUBOPTIONS = _dhcp4(63, "nwip-suboptions", "NetWare/IP Sub-Options", SUBOPTIONS, least=1)
NISPLUS_DOMAIN_NAME = _dhcp4(64, "nisplus-domain-name", "NIS+ Domain", TEXT)
NISPLUS_SERVERS = _dhcp4(65, "nisplus-servers", "NIS+ Servers", ADDRESSES)
TFTP_SERVER_NAME = _dhcp4(66, "tftp-server-name", "TFTP Server Name", TEXT)
BOOT_FILE_NAME = _dhcp4(67, "boot-file-name", "Boot File Name", TEXT)
MOBILE_IP_HOME_AGENT = _dhcp4(68, "mobile-ip-home-agent", "Mobile IP Home Agent", ADDRESSES, least=0)
SMTP_SERVER = _dhcp4(69, "smtp-server", "SMTP Server", ADDRESSES)
POP_SERVER = _dhcp4(70, "pop-server", "POP3 Server", ADDRESSES)
NNTP_SERVER = _dhcp4(71, "nntp-server", "NNTP Server", ADDRESSES)
WWW_SERVER = _dhcp4(72, "www-server", "WWW Server", ADDRESSES)
FINGER_SERVER = _dhcp4(73, "finger-server", "Finger Server", ADDRESSES)
IRC_SERVER = _dhcp4(74, "irc-server", "IRC Server", ADDRESSES)
STREETTALK_SERVER = _dhcp4(75, "streettalk-server", "StreetTalk Server", ADDRESSES)
STREETTALK_DIRECTORY = _dhcp4(
    76, "streettalk-directory-assistance-server", "StreetTalk Directory Assistance Server", ADDRESSES
)
USER_CLASS = _dhcp4(77, "user-class", "User Class", USER_CLASSES)
SLP_DIRECTORY_AGENT = _dhcp4(78, "slp-directory-agent", "SLP Directory Agent", shapes.SLP_AGENTS)
SLP_SERVICE_SCOPE = _dhcp4(79, "slp-service-scope", "SLP Service Scope", shapes.SLP_SCOPES)
RAPID_COMMIT = _dhcp4(80, "rapid-commit", "Rapid Commit", NOTHING)
FQDN = _dhcp4(81, "fqdn", "Client FQDN", CLIENT_NAME)
RELAY_AGENT_INFORMATION = _dhcp4(82, "dhcp-agent-options", "Relay Agent Information", _RELAY)
ISNS_SERVER = _dhcp4(83, "isns-server", "Internet Storage Name Service", shapes.ISNS)
NDS_SERVERS = _dhcp4(85, "nds-servers", "NDS Servers", ADDRESSES)
NDS_TREE_NAME = _dhcp4(86, "nds-tree-name", "NDS Tree Name", TEXT)
NDS_CONTEXT = _dhcp4(87, "nds-context", "NDS Context", TEXT)
BCMS_CONTROLLER_NAMES = _dhcp4(88, "bcms-controller-names", "BCMCS Controller Domain Names", PLAIN_NAMES)
BCMS_CONTROLLER_ADDRESS = _dhcp4(89, "bcms-controller-address", "BCMCS Controller Addresses", ADDRESSES)
AUTHENTICATE = _dhcp4(90, "authenticate", "Authentication", shapes.AUTHENTICATION)
CLIENT_LAST_TRANSACTION_TIME = _dhcp4(91, "client-last-transaction-time", "Client Last Transaction Time", UINT32)
ASSOCIATED_IP = _dhcp4(92, "associated-ip", "Associated IP", ADDRESSES)
CLIENT_SYSTEM = _dhcp4(93, "client-system", "Client System Architecture", CLIENT_ARCHITECTURES)
CLIENT_NDI = _dhcp4(94, "client-ndi", "Client Network Device Interface", shapes.NETWORK_INTERFACE)
LDAP_URL = _dhcp4(95, "ldap-url", "LDAP", TEXT)
UUID_GUID = _dhcp4(97, "uuid-guid", "Client Machine Identifier", shapes.MACHINE)
UAP_SERVERS = _dhcp4(98, "uap-servers", "User Authentication Protocol", TEXT)
GEOCONF_CIVIC = _dhcp4(99, "geoconf-civic", "Civic Location", shapes.CIVIC)
PCODE = _dhcp4(100, "pcode", "Timezone, POSIX string", TEXT)
TCODE = _dhcp4(101, "tcode", "Timezone, database name", TEXT)
V6_ONLY_PREFERRED = _dhcp4(108, "v6-only-preferred", "IPv6-Only Preferred", UINT32)
DHCP4O6_S46_SADDR = _dhcp4(109, "dhcp4o6-s46-saddr", "DHCP 4o6 Softwire Source Address", ADDRESS6)
NETINFO_SERVER_ADDRESS = _dhcp4(112, "netinfo-server-address", "NetInfo Parent Server Address", ADDRESSES)
NETINFO_SERVER_TAG = _dhcp4(113, "netinfo-server-tag", "NetInfo Parent Server Tag", TEXT)
V4_CAPTIVE_PORTAL = _dhcp4(114, "v4-captive-portal", "Captive Portal API URI", TEXT)
AUTO_CONFIG = _dhcp4(116, "auto-config", "Auto-Configure", AUTO_CONFIGS)
NAME_SERVICE_SEARCH = _dhcp4(117, "name-service-search", "Name Service Search", UINT16S)
SUBNET_SELECTION = _dhcp4(118, "subnet-selection", "Subnet Selection", ADDRESS)
DOMAIN_SEARCH = _dhcp4(119, "domain-search", "Domain Search", NAMES)
SIP_SERVERS = _dhcp4(120, "sip-servers", "SIP Servers", shapes.SIP)
CLASSLESS_ROUTES = _dhcp4(121, "classless-static-route", "Classless Static Routes", ROUTES)
CABLELABS_CLIENT_CONF = _dhcp4(122, "cablelabs-client-conf", "CableLabs Client Configuration", CABLELABS)
GEOCONF = _dhcp4(123, "geoconf", "Geospatial Location (old)", octets(16))
ENTERPRISE_CLASSES = _dhcp4(124, "vivco-suboptions", "Vendor-Identifying Vendor Class", VENDOR_CLASSES)
ENTERPRISE_OPTIONS = _dhcp4(
    125, "vivso-suboptions", "Vendor-Identifying Vendor-Specific Information", shapes.ENTERPRISE
)
PXE_UNDEFINED_1 = _dhcp4(128, "pxe-undefined-1", "PXE vendor-specific / phone TFTP server", BINARY, least=0)
PXE_UNDEFINED_2 = _dhcp4(129, "pxe-undefined-2", "PXE vendor-specific / call server", BINARY, least=0)
PXE_UNDEFINED_3 = _dhcp4(130, "pxe-undefined-3", "PXE vendor-specific / discrimination string", BINARY, least=0)
PXE_UNDEFINED_4 = _dhcp4(131, "pxe-undefined-4", "PXE vendor-specific / remote statistics server", BINARY, least=0)
PXE_UNDEFINED_5 = _dhcp4(132, "pxe-undefined-5", "PXE vendor-specific / 802.1Q VLAN id", BINARY, least=0)
PXE_UNDEFINED_6 = _dhcp4(133, "pxe-undefined-6", "PXE vendor-specific / 802.1p priority", BINARY, least=0)
PXE_UNDEFINED_7 = _dhcp4(134, "pxe-undefined-7", "PXE vendor-specific / DSCP", BINARY, least=0)
PXE_UNDEFINED_8 = _dhcp4(135, "pxe-undefined-8", "PXE vendor-specific / HTTP proxy for phones", BINARY, least=0)
PANA_AGENT = _dhcp4(136, "pana-agent", "PANA Authentication Agent", ADDRESSES)
V4_LOST = _dhcp4(137, "v4-lost", "LoST Server", NAME)
CAPWAP_AC_V4 = _dhcp4(138, "capwap-ac-v4", "CAPWAP Access Controllers", ADDRESSES)
IPV4_ADDRESS_MOS = _dhcp4(139, "ipv4-address-mos", "MoS Addresses", MOS_ADDRESSES)
IPV4_FQDN_MOS = _dhcp4(140, "ipv4-fqdn-mos", "MoS Domain Names", MOS_NAMES)
SIP_UA_CS_DOMAINS = _dhcp4(141, "sip-ua-cs-domains", "SIP UA Configuration Domains", NAMES)
IPV4_ADDRESS_ANDSF = _dhcp4(142, "ipv4-address-andsf", "ANDSF Addresses", ADDRESSES)
V4_SZTP_REDIRECT = _dhcp4(143, "v4-sztp-redirect", "SZTP Redirect", shapes.URIS)
GEOLOC = _dhcp4(144, "geoloc", "Geospatial Location with Uncertainty", octets(16))
FORCERENEW_NONCE_CAPABLE = _dhcp4(145, "forcerenew-nonce-capable", "Forcerenew Nonce Capable", UINT8S)
RDNSS_SELECTION = _dhcp4(146, "rdnss-selection", "RDNSS Selection", shapes.RDNSS)
V4_DOTS_RI = _dhcp4(147, "v4-dots-ri", "DOTS Agent Name", NAME)
V4_DOTS_ADDRESS = _dhcp4(148, "v4-dots-address", "DOTS Agent Addresses", ADDRESSES)
TFTP_SERVER_ADDRESS = _dhcp4(150, "tftp-server-address", "TFTP Server Addresses", ADDRESSES)
STATUS_CODE = _dhcp4(151, "status-code", "Leasequery Status Code", shapes.STATUS)
BASE_TIME = _dhcp4(152, "base-time", "Base Time", UINT32)
START_TIME_OF_STATE = _dhcp4(153, "start-time-of-state", "Start Time Of State", UINT32)
QUERY_START_TIME = _dhcp4(154, "query-start-time", "Query Start Time", UINT32)
QUERY_END_TIME = _dhcp4(155, "query-end-time", "Query End Time", UINT32)
STATE = _dhcp4(156, "dhcp-state", "DHCP State", DHCP_STATES)
DATA_SOURCE = _dhcp4(157, "data-source", "Data Source", UINT8)
V4_PCP_SERVER = _dhcp4(158, "v4-pcp-server", "PCP Servers", shapes.SERVER_LISTS)
V4_PORTPARAMS = _dhcp4(159, "v4-portparams", "Port Parameters", shapes.PORTS)
V4_CAPTIVE_PORTAL_OLD = _dhcp4(160, "v4-captive-portal-old", "Captive Portal URI (withdrawn code)", TEXT)
MUD_URL_V4 = _dhcp4(161, "mud-url-v4", "MUD URL", TEXT)
V4_DNR = _dhcp4(162, "v4-dnr", "Encrypted DNS (DNR)", BINARY, least=5)
ETHERBOOT = _dhcp4(175, "etherboot", "Etherboot / iPXE", ENCAPSULATED)
IP_TELEPHONE = _dhcp4(176, "ip-telephone", "IP Telephone", TEXT)
PACKETCABLE_OLD = _dhcp4(177, "packetcable-old", "Etherboot / PacketCable (old)", BINARY)
PXELINUX_MAGIC = _dhcp4(208, "pxelinux-magic", "PXELINUX Magic", octets(4))
LOADER_CONFIGFILE = _dhcp4(209, "loader-configfile", "PXELINUX Configuration File", TEXT)
LOADER_PATHPREFIX = _dhcp4(210, "loader-pathprefix", "PXELINUX Path Prefix", TEXT)
LOADER_REBOOTTIME = _dhcp4(211, "loader-reboottime", "PXELINUX Reboot Time", UINT32)
SIX_RD = _dhcp4(212, "option-6rd", "6rd", shapes.SIX_RD)
V4_ACCESS_DOMAIN = _dhcp4(213, "v4-access-domain", "Access Network Domain Name", NAME)
SUBNET_ALLOCATION = _dhcp4(220, "subnet-allocation", "Subnet Allocation", shapes.SUBNETS)
VSS = _dhcp4(221, "vss", "Virtual Subnet Selection", shapes.VIRTUAL_SUBNET)
MS_CLASSLESS_ROUTES = _dhcp4(249, "ms-classless-static-route", "Microsoft Classless Static Routes", ROUTES)
WPAD_URL = _dhcp4(252, "wpad-url", "Web Proxy Auto-Discovery", TEXT)

OPTIONS = _space("dhcp4")
"""Code -> row of the options of a message."""

_BY_NAME = MappingProxyType({each.name: each for each in OPTIONS.values()})
