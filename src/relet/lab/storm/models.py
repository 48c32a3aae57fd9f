"""What real clients send: the options of each, in its order, with its parameter list.

dhclient, dhcpcd, udhcpc and iPXE are as their messages were captured (dhclient 4.4.3, dhcpcd 9.4.1, udhcpc 1.35, iPXE of
Debian's QEMU); Windows 10 and Android 13 as their parameter lists are published. `remembers`: does it ask for its old
address by an INIT-REBOOT request? udhcpc only wishes for it in a DHCPDISCOVER, and iPXE remembers nothing.
"""

from typing import Literal, NamedTuple

NUMBER = b"\xfa\xce\xb0\x0c"
"""Stands for the client's number, which is also the end of its hardware address. Nothing else in a message is like it."""
NAME = b"@@@@@@@@"
"""Stands for the client's number in hexadecimal digits, in names."""


class Model(NamedTuple):
    """A kind of client. order: the codes of its options. values: octets of those that are the same in every message.

    name: its host name with NAME in it, b'' for none. wishes: does a DHCPDISCOVER ask for the remembered address?
    """

    title: str
    order: tuple[int, ...]
    parameters: bytes
    values: dict[int, bytes]
    name: bytes = b""
    identifier: Literal["", "hardware", "duid"] = ""
    remembers: bool = True
    wishes: bool = False


_TYPE, _ADDRESS, _SERVER, _LIST = 53, 50, 54, 55
_NAME, _SIZE, _VENDOR, _IDENTIFIER, _FQDN = 12, 57, 60, 61, 81
_USER_CLASS, _ARCHITECTURE, _INTERFACE, _UUID, _IPXE, _NONCE = 77, 93, 94, 97, 175, 145

MODELS: dict[str, Model] = {
    "windows": Model(
        "Windows 10",
        (_TYPE, _IDENTIFIER, _ADDRESS, _SERVER, _NAME, _FQDN, _VENDOR, _LIST),
        bytes((1, 3, 6, 15, 31, 33, 43, 44, 46, 47, 119, 121, 249, 252)),
        {_VENDOR: b"MSFT 5.0", _FQDN: b"\0\0\0PC-" + NAME},
        b"PC-" + NAME,
        "hardware",
    ),
    "android": Model(
        "Android 13",
        (_TYPE, _IDENTIFIER, _ADDRESS, _SERVER, _SIZE, _VENDOR, _NAME, _LIST),
        bytes((1, 3, 6, 15, 26, 28, 51, 58, 59, 43, 114)),
        {_SIZE: (1500).to_bytes(2), _VENDOR: b"android-dhcp-13"},
        b"Phone-" + NAME,
        "hardware",
    ),
    "dhclient": Model(
        "ISC dhclient",
        (_TYPE, _SERVER, _ADDRESS, _NAME, _LIST),
        bytes((1, 28, 2, 3, 15, 6, 119, 12, 44, 47, 26, 121, 42)),
        {},
        b"host-" + NAME,
    ),
    "dhcpcd": Model(
        "dhcpcd",
        (_ADDRESS, _TYPE, _SERVER, _LIST, _SIZE, _IDENTIFIER, _VENDOR, _NAME, _NONCE),
        bytes((1, 121, 3, 6, 15, 26, 28, 33, 51, 54, 58, 59, 119)),
        {_SIZE: (1472).to_bytes(2), _VENDOR: b"dhcpcd-9.4.1:Linux-6.1.0:x86_64:GenuineIntel", _NONCE: b"\1"},
        b"node-" + NAME,
        "duid",
    ),
    "udhcpc": Model(
        "BusyBox udhcpc",
        (_TYPE, _ADDRESS, _SERVER, _SIZE, _LIST, _VENDOR, _IDENTIFIER),
        bytes((1, 3, 6, 12, 15, 28, 42)),
        {_SIZE: (576).to_bytes(2), _VENDOR: b"udhcp 1.35.0"},
        identifier="hardware",
        remembers=False,
        wishes=True,
    ),
    "ipxe": Model(
        "iPXE",
        (
            _TYPE,
            _SERVER,
            _ADDRESS,
            _SIZE,
            _ARCHITECTURE,
            _INTERFACE,
            _VENDOR,
            _USER_CLASS,
            _LIST,
            _IPXE,
            _IDENTIFIER,
            _UUID,
        ),
        bytes.fromhex("01030607 0c0f111a 2b3c4243 77808182 83848586 87afcb"),
        {
            _SIZE: (1472).to_bytes(2),
            _ARCHITECTURE: b"\0\0",
            _INTERFACE: b"\1\2\1",
            _VENDOR: b"PXEClient:Arch:00000:UNDI:002001",
            _USER_CLASS: b"iPXE",
            _IPXE: bytes.fromhex(
                "b105018086100e eb03010000 170101 220101 130101 110101 270101 190101 290101 100102 210101"
                "150101 180101 120101"
            ),
            _UUID: b"\0" + bytes(12) + NUMBER,
        },
        identifier="hardware",
        remembers=False,
    ),
}

USUAL = {"windows": 40, "android": 25, "dhclient": 20, "dhcpcd": 15}
"""Shares of the models in a fleet that says nothing else: those that remember."""
