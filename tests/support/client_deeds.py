"""What a client on a bench did, in the words that tests of conformance use."""

from collections.abc import Callable

from relet.client.dice import Dice
from relet.client.states import Bound, Held, Rebinding, Renewing
from relet.model.effects import Configure, Effect
from support.client_rig import Rig, names


def deeds(effects: list[Effect]) -> list[str]:
    """The effects on wire and interface in a word each; what is told and remembered is left out."""
    inner = ("note", "forget", "remember")
    return [word.removesuffix(":keep") for word in names(effects) if not word.startswith(inner)]


def told(effects: list[Effect]) -> list[str]:
    """What the user is told of."""
    return [word.removeprefix("note:") for word in names(effects) if word.startswith("note:")]


def held(rig: Rig) -> Held:
    assert isinstance(rig.state, Bound | Renewing | Rebinding)
    return rig.state.held


def configured(effects: list[Effect]) -> Configure:
    (found,) = [effect for effect in effects if isinstance(effect, Configure)]
    return found


def shows(number: float) -> Dice:
    """Dice that show the same at every throw."""
    return lambda: number


def drops(rig: Rig, act: Callable[[Rig], list[Effect]]) -> str:
    """The name under which a reply is dropped that has no effect at all and leaves the state as it was."""
    before, counted = rig.state, dict(rig.client.dropped)
    assert act(rig) == []
    assert rig.state == before
    (name,) = [name for name, times in rig.client.dropped.items() if times != counted.get(name, 0)]
    return name
