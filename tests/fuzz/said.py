"""What a server may say of a network, well and badly meant: values for the options that a client does something with."""

EVIL = (
    b"$(touch canary)", b"`touch canary`;touch canary|&", b"a\nnameserver 6.6.6.6", b"\x1b[2Jx\0y", b"'\"\\", b"-rf",
    b"\xff\xfe\xc3", b"* ? [a] {b,c} ~ ! # <x >y",
)  # fmt: skip
"""Text that a shell, a terminal or a file of lines would take for more than text."""

NAMES = (
    b"host",
    b"Example.ORG.",
    b"a.b example.net",
    b"-a",
    b"a..b",
    b"1.2.3.4",
    b"x" * 70,
    b"y." * 130,
    b"a" + b".b" * 60,
)
ADDRESSES = (
    bytes((192, 168, 1, 1)), bytes(4), b"\x7f\0\0\1", b"\xe0\0\0\1", b"\xff" * 4, bytes((192, 168, 1, 255, 10, 0, 0, 1)),
    bytes((10, 9, 8, 7)) * 40, b"\xc0\xa8\1",
)  # fmt: skip
WORDS: dict[int, tuple[bytes, ...]] = {
    1: (b"\xff\xff\xff\0", b"\xff\0\0\0", b"\xff\0\xff\0", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff"),
    3: ADDRESSES,
    6: ADDRESSES,
    12: (*EVIL, *NAMES),
    15: (*EVIL, *NAMES),
    17: EVIL,
    26: (b"\x05\xdc", b"\0\x10", b"\xff\xff", b"\0", bytes(3)),
    28: ADDRESSES,
    33: (bytes((10, 0, 0, 0, 192, 168, 1, 9)), bytes(8), bytes((127, 0, 0, 1, 192, 168, 1, 9)), b"\xff" * 8, b"\x01"),
    42: ADDRESSES,
    43: EVIL,
    56: EVIL,
    66: EVIL,
    67: EVIL,
    108: (bytes(4), b"\0\0\x07\x08", b"\xff" * 4, b"\1"),
    114: (b"https://portal.example/x?y=$(id)", b"urn:ietf:params:capport:unrestricted", b"javascript:alert(1)", *EVIL),
    119: (
        b"\3eng\7example\3org\0\2hr\xc0\4", b"\xc0\0", b"\1\0", b"\x3f" + b"z" * 63 + b"\0", b"\4a;id\0", b"\2$(\0\3a\nb\0",
        b"\1a\0" * 80,
    ),
    121: (
        bytes((8, 10, 192, 168, 1, 7, 0, 192, 168, 1, 1)), bytes((32, 192, 168, 1, 1, 0, 0, 0, 0, 0, 192, 168, 1, 1)),
        bytes((33, 1)), bytes((0, 0, 0, 0, 0)) * 40, bytes((24, 127, 0, 0, 192, 168, 1, 1)),
        b"".join(bytes((24, 10, 0, number, 192, 168, 1, 7)) for number in range(80)),
    ),
    224: EVIL,
    249: (bytes((8, 10, 192, 168, 1, 7)),),
    252: EVIL,
}  # fmt: skip
