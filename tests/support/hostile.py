"""A server that means no good, for tests: it answers what clients ask on one interface as a script says.

    python tests/support/hostile.py s0 script.json

It keeps nothing and checks nothing: what it sends is made of the script's octets, whatever they are.
"""

import select
import sys
from pathlib import Path

import msgspec

from relet.model.effects import CLIENT_PORT, SERVER_PORT, Send
from relet.net.packet import DhcpFrames, dhcp_frames
from relet.wire.address import BROADCAST, BROADCAST_MAC, parse_ip
from relet.wire.message import BOOTREPLY, Message, decode, encode
from relet.wire.options import MessageType

SERVER = "192.168.1.1"
LARGEST = 1472


class Answer(msgspec.Struct, frozen=True):
    """One reply. kind: 'OFFER', 'ACK' or 'NAK'. options: code -> hexadecimal, beside 53, 54 and 51 or in their place.

    sname, file: hexadecimal. xid, chaddr: what is changed of the client's (of its last octet), by exclusive or. copies: how
    often it is sent.
    """

    kind: str
    yiaddr: str = "192.168.1.5"
    options: dict[int, str] = {}
    sname: str = ""
    file: str = ""
    xid: int = 0
    chaddr: int = 0
    copies: int = 1


class Script(msgspec.Struct, frozen=True):
    """The replies to each DHCPDISCOVER and to each DHCPREQUEST, in turn; the last ones go on for ever."""

    discover: tuple[tuple[Answer, ...], ...]
    request: tuple[tuple[Answer, ...], ...]


def reply(answer: Answer, asked: Message) -> bytes:
    """The octets of one reply."""
    kind = MessageType[answer.kind]
    options = {53: bytes((kind,)), 54: parse_ip(SERVER).to_bytes(4), 51: (3600).to_bytes(4)}
    made = Message(
        op=BOOTREPLY,
        xid=asked.xid ^ answer.xid,
        yiaddr=0 if kind is MessageType.NAK else parse_ip(answer.yiaddr),
        chaddr=asked.chaddr[:5] + bytes((asked.chaddr[5] ^ answer.chaddr,)),
        sname=bytes.fromhex(answer.sname),
        file=bytes.fromhex(answer.file),
        options=options | {code: bytes.fromhex(octets) for code, octets in answer.options.items()},
    )
    return encode(made, LARGEST)


def serve(frames: DhcpFrames, script: Script, interface: str) -> None:
    """Answer until ended, and tell what was asked."""
    turns = {MessageType.DISCOVER: script.discover, MessageType.REQUEST: script.request}
    heard = dict.fromkeys(turns, 0)
    while True:
        select.select([frames], [], [])
        for arrival in frames.receive():
            asked = decode(arrival.payload)
            if asked.kind not in turns:
                continue
            kind = MessageType(asked.kind)
            answers = turns[kind][min(heard[kind], len(turns[kind]) - 1)]
            heard[kind] += 1
            sys.stdout.write(f"{kind.name} {heard[kind]}\n")
            for answer in answers:
                payload = reply(answer, asked)
                send = Send(payload, BROADCAST, CLIENT_PORT, parse_ip(SERVER), interface, BROADCAST_MAC)
                for _ in range(answer.copies):
                    frames.send([send])


def main() -> None:
    interface, file = sys.argv[1:]
    script = msgspec.json.decode(Path(file).read_bytes(), type=Script)
    frames = dhcp_frames(interface, SERVER_PORT)
    sys.stdout.write("serving\n")
    serve(frames, script, interface)


if __name__ == "__main__":
    main()
