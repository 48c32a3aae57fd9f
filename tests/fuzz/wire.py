"""Mutated datagrams, frames and ARP packets against everything that reads bytes: only WireError may come out.

    python tests/fuzz/wire.py --runs 1000000 --seed 1

Each run has its own dice, made of seed and number, so that a finding comes back by itself: `--from N --runs 1`. Exits 1
with the octets of the first input that does harm.
"""

import argparse
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import NamedTuple

import msgspec

sys.path.append(str(Path(__file__).parent.parent))  # so that this is a program, too

from fuzz.mutate import TELLING, mutate
from relet.errors import WireError
from relet.wire import options, text
from relet.wire.arp import REQUEST, Arp, decode_arp, encode_arp
from relet.wire.frame import Datagram, decode_datagram, encode_datagram
from relet.wire.message import Message, decode, encode, fit
from relet.wire.reasons import REASONS
from relet.wire.relayinfo import decode_suboptions

EVERY = 10_000
"""Runs between two lines of progress."""

NAMES = (b"\3eng\5apple\3com\0\x09marketing\xc0\4", b"\1a\0\1b\xc0\0\xc0\3", b"\4\0\0\4host\7example\3org\0")
ROWS = (*options.OPTIONS.values(),)


class Finding(NamedTuple):
    """What went wrong, and with which input."""

    run: int
    target: str
    octets: bytes
    trace: str


def fuzz(runs: int, seed: int, first: int = 0, progress: Callable[[int], None] | None = None) -> Finding | Counter[str]:
    """The first finding; without one, how often which reason was given ('accepted' for input that was taken)."""
    outcomes: Counter[str] = Counter()
    for run in range(first, first + runs):
        dice = Random(seed << 40 | run)
        target, make, check = TARGETS[dice.randrange(len(TARGETS))]
        octets = mutate(dice, make(dice))
        try:
            outcomes[check(octets)] += 1
        except Exception:
            return Finding(run, target, octets, traceback.format_exc())
        if progress is not None and run % EVERY == EVERY - 1:
            progress(run + 1 - first)
    return outcomes


# What is mutated.


def some_message(dice: Random) -> bytes:
    """A good message with any options in any of its fields."""
    found: dict[int, bytes] = {53: bytes((dice.randrange(1, 19),))}
    for row in dice.sample(ROWS, dice.randrange(10)):
        found[row.code] = some_value(dice, row)
    if dice.random() < 0.5:
        found[82] = b"".join(
            bytes((row.code, len(value))) + value
            for row in dice.sample([*options.RELAY.values()], 3)
            for value in [some_value(dice, row)]
        )
    found.pop(52, None)
    message = Message(
        op=dice.choice((1, 2)),
        xid=dice.getrandbits(32),
        chaddr=dice.randbytes(6),
        ciaddr=dice.getrandbits(32),
        giaddr=dice.choice((0, dice.getrandbits(32))),
        sname=dice.choice((b"", b"server")),
        file=dice.choice((b"", b"/boot/kernel")),
        options=found,
    )
    limit = dice.choice((400, 548, 1472))
    less = fit(message, limit)
    try:
        return encode(less, limit)
    except ValueError:
        return encode(less, 65507)


def some_value(dice: Random, row: options.Option) -> bytes:
    """Octets of a length that the option permits; now and then names, which many options hold."""
    if row.max_len is None and dice.random() < 0.3:
        return dice.choice(NAMES)
    size = row.min_len if row.max_len is not None else row.min_len + row.multiple * dice.randrange(6)
    return bytes(dice.choice(TELLING) for _ in range(size)) if dice.random() < 0.5 else dice.randbytes(size)


def some_frame(dice: Random) -> bytes:
    """A good frame around a message."""
    vlans = tuple(dice.randrange(4096) for _ in range(dice.choice((0, 0, 1, 2))))
    return encode_datagram(
        Datagram(dice.randbytes(6), b"\xff" * 6, 0, dice.getrandbits(32), 68, 67, some_message(dice), vlans)
    )


def some_arp(dice: Random) -> bytes:
    """A good ARP packet."""
    return encode_arp(Arp(REQUEST, dice.randbytes(6), dice.getrandbits(32), dice.randbytes(6), dice.getrandbits(32)))


# What must stand it.


def check_message(octets: bytes) -> str:
    """Read a message, show it in every form, read every option, write it again."""
    try:
        message = decode(octets)
    except WireError as error:
        return _known(error, octets)
    _shown(text.line(message))
    _shown(text.full(message).replace("\n", ""))
    msgspec.json.encode(text.plain(message))
    for code, value in message.options.items():
        for row in (options.option(code), options.RELAY.get(code, options.option(code))):
            _shown(row.text(value))
            _options(row, value)
    fit(message, 548)
    again = decode(encode(message, 65507))
    if msgspec.structs.replace(again, overload=message.overload) != message:
        raise AssertionError("the message does not come back")
    return "accepted"


def check_frame(octets: bytes) -> str:
    """Read a frame with and without its checksum, then the message in it."""
    try:
        decode_datagram(octets)
    except WireError as error:
        _known(error, octets)
    try:
        datagram = decode_datagram(octets, verify=False)
    except WireError as error:
        return _known(error, octets)
    return check_message(datagram.payload)


def check_arp(octets: bytes) -> str:
    """Read an ARP packet and write it again."""
    try:
        arp = decode_arp(octets)
    except WireError as error:
        return _known(error, octets)
    if decode_arp(encode_arp(arp)) != arp:
        raise AssertionError("the packet does not come back")
    return "accepted"


def _options(row: options.Option, octets: bytes) -> None:
    for read in (row.decode, decode_suboptions):
        try:
            read(octets)
        except WireError as error:
            _known(error, octets)
    msgspec.json.encode(row.plain(octets))


def _known(error: WireError, octets: bytes) -> str:
    if error.reason not in REASONS or not 0 <= error.offset <= len(octets):
        raise AssertionError(f"{error!r} has an unknown reason or an offset outside its {len(octets)} octets")
    return error.reason


def _shown(line: str) -> None:
    if not line.isprintable():
        raise AssertionError(f"{line!r} would move a terminal")


TARGETS = (
    ("message", some_message, check_message),
    ("message", some_message, check_message),
    ("frame", some_frame, check_frame),
    ("arp", some_arp, check_arp),
)


def main() -> int:
    parser = argparse.ArgumentParser(description="Mutate messages, frames and ARP packets; only WireError may escape.")
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--from", dest="first", type=int, default=0, help="number of the first run")
    given = parser.parse_args()

    def progress(done: int) -> None:
        sys.stderr.write(f"\r{done:,} of {given.runs:,} runs")
        sys.stderr.flush()

    found = fuzz(given.runs, given.seed, given.first, progress)
    sys.stderr.write("\n")
    if isinstance(found, Finding):
        again = f"--seed {given.seed} --from {found.run} --runs 1"
        sys.stdout.write(f"{found.trace}\n{found.target}, run {found.run} ({again}):\n{found.octets.hex()}\n")
        return 1
    for outcome, times in found.most_common():
        sys.stdout.write(f"{times:>10,}  {outcome}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
