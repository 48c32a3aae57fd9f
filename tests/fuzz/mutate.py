"""How octets are mutated: what a careless or hostile sender makes of a good message, a frame or a packet.

Every mutation takes dice and octets and gives octets; the same dice give the same. Nothing here knows what the octets are
for, but that options may stand behind a DHCP cookie in them.
"""

from random import Random

MOST_MUTATIONS = 6

TELLING = (0, 1, 2, 3, 4, 6, 16, 17, 52, 53, 61, 63, 64, 77, 81, 82, 119, 120, 121, 124, 125, 127, 128, 192, 254, 255)
"""Octets that mean something in one place or another: codes, lengths, pointers, pads and ends."""


def mutate(dice: Random, octets: bytes) -> bytes:
    """Fewer than MOST_MUTATIONS mutations, none among them."""
    for _ in range(dice.randrange(MOST_MUTATIONS)):
        octets = dice.choice(MUTATIONS)(dice, octets)
    return octets


def flip(dice: Random, octets: bytes) -> bytes:
    """One bit."""
    if not octets:
        return octets
    at = dice.randrange(len(octets))
    return octets[:at] + bytes((octets[at] ^ 1 << dice.randrange(8),)) + octets[at + 1 :]


def put(dice: Random, octets: bytes) -> bytes:
    """One telling octet in the place of another."""
    at = dice.randrange(len(octets) + 1)
    return octets[:at] + bytes((dice.choice(TELLING),)) + octets[at + 1 :]


def cut(dice: Random, octets: bytes) -> bytes:
    """Off the end."""
    return octets[: dice.randrange(len(octets) + 1)]


def remove(dice: Random, octets: bytes) -> bytes:
    """A few octets."""
    at = dice.randrange(len(octets) + 1)
    return octets[:at] + octets[at + dice.randrange(9) :]


def insert(dice: Random, octets: bytes) -> bytes:
    """A few octets."""
    at = dice.randrange(len(octets) + 1)
    return octets[:at] + bytes(dice.choice(TELLING) for _ in range(dice.randrange(9))) + octets[at:]


def repeat(dice: Random, octets: bytes) -> bytes:
    """A stretch of octets once more, elsewhere."""
    start = dice.randrange(len(octets) + 1)
    at = dice.randrange(len(octets) + 1)
    return octets[:at] + octets[start : start + dice.randrange(80)] + octets[at:]


def lie(dice: Random, octets: bytes) -> bytes:
    """About the length of an option."""
    places = _option_places(octets)
    if not places:
        return put(dice, octets)
    at = dice.choice(places) + 1
    return octets[:at] + bytes((dice.choice((*TELLING, dice.randrange(256))),)) + octets[at + 1 :]


def shuffle(dice: Random, octets: bytes) -> bytes:
    """The options of a message."""
    places = _option_places(octets)
    if not places:
        return octets
    end = places[-1] + 2 + octets[places[-1] + 1]
    whole = [octets[at : at + 2 + octets[at + 1]] for at in places]
    dice.shuffle(whole)
    return octets[: places[0]] + b"".join(whole) + octets[end:]


def overload(dice: Random, octets: bytes) -> bytes:
    """Say that file and sname hold options, whatever they hold."""
    places = _option_places(octets)
    at = places[0] if places else min(240, len(octets))
    return octets[:at] + bytes((52, 1, dice.randrange(5))) + octets[at:]


def _option_places(octets: bytes) -> list[int]:
    """Offsets of the options behind the cookie, wherever in the frame that is."""
    at = octets.find(b"\x63\x82\x53\x63") + 4
    places: list[int] = []
    while 4 <= at < len(octets) - 1 and octets[at] != 255 and at + 2 + octets[at + 1] <= len(octets):
        if octets[at]:
            places.append(at)
        at += 2 + octets[at + 1] if octets[at] else 1
    return places


MUTATIONS = (flip, flip, put, put, cut, remove, insert, repeat, lie, lie, shuffle, overload)
