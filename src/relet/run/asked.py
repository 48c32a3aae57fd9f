"""What a running server says and does when it is asked at its control socket, question by question."""

from collections import Counter
from typing import Protocol

import msgspec

from relet.errors import StoreError
from relet.model.lease import Lease
from relet.net.clock import now
from relet.run.control import Question
from relet.run.intake import Intake
from relet.run.reload import Reload, Reloaded
from relet.server.engine import Engine
from relet.server.order import Order
from relet.server.record import forgone
from relet.server.told import status, told


class Asked(Protocol):
    """The server, as far as questions need it."""

    engine: Engine
    reloading: Reload

    def reload(self, dry: bool) -> Reloaded: ...

    intake: Intake

    def drops(self) -> Counter[str]: ...


def answer(server: Asked, question: Question) -> object:
    """The answer, to be written as JSON. Raises ValueError for a question that makes no sense."""
    match question:
        case {"do": "why", "client": str(client), "limit": int(limit)}:
            unserved = list(forgone(server.intake.backlog.unserved, now()))
            return told(server.engine.records, client, limit, server.engine.usage(), unserved)
        case {"do": "status"}:
            return status(server.engine, server.drops(), len(server.intake.backlog))
        case {"do": "lease", "order": dict(order), "who": str(who)}:
            return _ordered(server.engine, msgspec.convert(order, Order), who)
        case {"do": "reload", "dry": bool(dry)}:
            return server.reload(dry)
        case {"do": "reloaded"}:
            return server.reloading.said
        case _:
            raise ValueError("the server knows the questions 'why', 'status', 'lease', 'reload' and 'reloaded'")


def _ordered(engine: Engine, order: Order, who: str) -> Lease | dict[str, str]:
    """What became of a lease, or why the order is refused. Raises ValueError if the store fails."""
    try:
        return engine.order(order, who, now()).after
    except ValueError as error:
        return {"refused": str(error)}
    except StoreError as error:
        raise ValueError(f"nothing was changed, because the store fails: {error}") from None
