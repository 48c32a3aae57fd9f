"""What was read from a file together with where it stood, for the checks that compare things with one another."""

from typing import NamedTuple

from relet.config.lines import Path
from relet.model.network import ClientClass, Network, Reservation, Subnet
from relet.model.ranges import Ranges


class PlacedSubnet(NamedTuple):
    """A subnet, its path in the file and its name in problems.

    whole: pools that were written as a prefix; what is no client's is left out of them without a word.
    """

    path: Path
    where: str
    subnet: Subnet
    whole: Ranges


class PlacedReservation(NamedTuple):
    """A reservation, its path in the file and its name in problems.

    setting: the one that names the client. shared: others may have its address too.
    """

    path: Path
    where: str
    reservation: Reservation
    setting: str
    shared: bool = False


class PlacedClass(NamedTuple):
    """A class, its path in the file and its name in problems."""

    path: Path
    where: str
    row: ClientClass


class Draft(NamedTuple):
    """A network as far as its table could be read; `network` holds the same subnets and reservations.

    complete: no subnet is missing because it could not be read.
    """

    path: Path
    where: str
    network: Network
    subnets: tuple[PlacedSubnet, ...]
    reservations: tuple[PlacedReservation, ...]
    complete: bool
