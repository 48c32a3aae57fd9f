"""Where the hands of this process's clients are: here, or in a process of their own if this one gives its rights up.

A client that is root becomes a user without any rights as soon as its sockets are open. What it then still needs done, the
other process does (servant.py). One that is not root, or is to stay it, has its hands to itself.
"""

from collections.abc import Callable, Mapping

from relet.net import rights
from relet.net.rights import Identity
from relet.run.errands import Notice
from relet.run.hand import Hand, LocalHand, Tell
from relet.run.loop import Loop
from relet.run.orders import Orders
from relet.run.remote import Channel, RemoteHand
from relet.run.servant import divide


class Hands:
    """To be made before anything is opened: the process may be divided. Raises OSError if it cannot be.

    who: whom this process becomes; None if it stays as it is. clear: removes what a client leaves at its end where it may
    not. errors: descriptor that takes the place of standard error in the background, None for none.
    """

    def __init__(
        self, orders: Mapping[str, Orders], who: Identity | None, clear: Callable[[], None], errors: int | None
    ) -> None:
        self._who = who
        self._remote: dict[str, RemoteHand] = {}
        self._channel: Channel | None = None
        if who:
            self._channel = divide(orders, clear, errors)
            self._channel.hear = self._heard

    def hand(self, loop: Loop, name: str, orders: Orders, tell: Tell) -> Hand:
        """The hand for an interface. tell: hears of programs."""
        if self._channel is None:
            return LocalHand(loop, name, orders, tell)
        hand = self._remote[name] = RemoteHand(name, self._channel, tell)
        return hand

    def listen(self, loop: Loop) -> None:
        """Hear what the other process has to say. A callback raises HandLostError when it is gone."""
        if self._channel:
            loop.register(self._channel, self._channel.receive)

    def give_up(self) -> None:
        """Give up all rights, for good. Raises RightsError."""
        if self._who:
            rights.give_up(self._who, rights.NONE)

    def into_background(self) -> None:
        """This process has let go of its terminal, so the other one must as well. Raises HandLostError."""
        if self._channel:
            self._channel.let_go()

    def close(self) -> None:
        """End the other process, once it has cleared up. Idempotent."""
        if self._channel:
            self._channel.close()

    def _heard(self, notice: Notice) -> None:
        if notice.interface in self._remote:
            self._remote[notice.interface].heard(notice)
