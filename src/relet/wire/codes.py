"""Numbers that have names: the values of options that are enumerations."""

from enum import IntEnum

from relet.wire.compounds import list_of
from relet.wire.kinds import named

INFINITE = 0xFFFFFFFF
"""Lease time that means for ever (RFC 2131 s3.3)."""


class MessageType(IntEnum):
    """Option 53 (RFC 2132 s9.6; RFC 3203, 4388, 6926, 7724 for those from 9 on)."""

    DISCOVER = 1
    OFFER = 2
    REQUEST = 3
    DECLINE = 4
    ACK = 5
    NAK = 6
    RELEASE = 7
    INFORM = 8
    FORCERENEW = 9
    LEASEQUERY = 10
    LEASEUNASSIGNED = 11
    LEASEUNKNOWN = 12
    LEASEACTIVE = 13
    BULKLEASEQUERY = 14
    LEASEQUERYDONE = 15
    ACTIVELEASEQUERY = 16
    LEASEQUERYSTATUS = 17
    TLS = 18


MESSAGE_TYPES = named(1, {member.value: member.name.lower() for member in MessageType})

NETBIOS_NODE_TYPES = named(1, {1: "b-node", 2: "p-node", 4: "m-node", 8: "h-node"})

AUTO_CONFIGS = named(1, {0: "do-not-auto-configure", 1: "auto-configure"})

ACCESS_TECHNOLOGY = named(1, {1: "virtual", 2: "ppp", 3: "ieee802-3", 4: "ieee802-11", 5: "ieee802-16e"})

DHCP_STATES = named(
    1,
    {
        1: "available",
        2: "active",
        3: "expired",
        4: "released",
        5: "abandoned",
        6: "reset",
        7: "remote",
        8: "transitioning",
    },
)

STATUS_CODES = named(
    1,
    {
        0: "success",
        1: "unspec-fail",
        2: "query-terminated",
        3: "malformed-query",
        4: "not-allowed",
        5: "data-missing",
        6: "connection-active",
        7: "catch-up-complete",
        8: "tls-connection-refused",
    },
)

CLIENT_ARCHITECTURES = list_of(
    named(
        2,
        {
            0: "x86-bios",
            1: "nec-pc98",
            2: "itanium",
            3: "dec-alpha",
            4: "arc-x86",
            5: "intel-lean-client",
            6: "x86-uefi",
            7: "x64-uefi",
            8: "efi-xscale",
            9: "ebc",  # firmware in use means x64-uefi by it too, as RFC 4578 was printed before its erratum
            10: "arm32-uefi",
            11: "arm64-uefi",
            12: "ppc-open-firmware",
            13: "ppc-epapr",
            14: "power-opal",
            15: "x86-uefi-http",
            16: "x64-uefi-http",
            17: "ebc-http",
            18: "arm32-uefi-http",
            19: "arm64-uefi-http",
            20: "pcat-bios-http",
            21: "arm32-uboot",
            22: "arm64-uboot",
            23: "arm32-uboot-http",
            24: "arm64-uboot-http",
            25: "riscv32-uefi",
            26: "riscv32-uefi-http",
            27: "riscv64-uefi",
            28: "riscv64-uefi-http",
            29: "riscv128-uefi",
            30: "riscv128-uefi-http",
            31: "s390-basic",
            32: "s390-extended",
            33: "mips32-uefi",
            34: "mips64-uefi",
            35: "sunway32-uefi",
            36: "sunway64-uefi",
            37: "loongarch32-uefi",
            38: "loongarch32-uefi-http",
            39: "loongarch64-uefi",
            40: "loongarch64-uefi-http",
            41: "arm-rpiboot",
        },
    )
)
