"""SQLite against memory: whatever is committed, folded and reopened, both say the same to every question."""

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from relet.model.ident import ClientKey
from relet.model.lease import Change, Lease, LeaseState
from relet.store.memory import MemoryStore
from relet.store.reader import SqliteReader
from relet.store.sqlite import SqliteStore
from support.leases import NET, client, lease

ADDRESSES = range(4)
CLIENTS = range(3)

LEASES = st.builds(
    lease,
    address=st.sampled_from(ADDRESSES),
    who=st.sampled_from(CLIENTS),
    starts=st.integers(0, 2),
    state=st.sampled_from(LeaseState),
)


class Agreement(RuleBasedStateMachine):
    """Random batches, among them stale and repeated changes, with folds and restarts between them."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "leases.db"
        self.memory = MemoryStore()
        self.sqlite = SqliteStore(self.path)
        self.reader = SqliteReader(self.path)
        self.wall = 0.0

    @rule(wanted=st.lists(st.tuples(LEASES, st.booleans(), st.none() | LEASES), max_size=6))
    def commit(self, wanted: list[tuple[Lease, bool, Lease | None]]) -> None:
        """A batch whose *befores* are right (chained within the batch) or anything else."""
        self.wall += 0.25
        current = {each.address: each for each in self.memory.all()}
        batch = []
        for after, honest, other in wanted:
            batch.append(Change(current.get(after.address) if honest else other, after))
            current[after.address] = after
        assert self.sqlite.commit(batch, self.wall) == self.memory.commit(batch, self.wall)

    @rule(limit=st.integers(0, 5))
    def fold(self, limit: int) -> None:
        """A step of any size."""
        assert self.sqlite.fold(limit) <= limit

    @rule()
    def reopen(self) -> None:
        """Stop the server and start it again."""
        self.sqlite.close()
        self.sqlite = SqliteStore(self.path)

    @invariant()
    def same_leases(self) -> None:
        """By address, by client and all."""
        assert list(self.sqlite.all()) == list(self.memory.all())
        assert list(self.reader.all()) == list(self.memory.all())
        ours, theirs = self.sqlite.view([], []), self.memory.view([], [])
        for address in ADDRESSES:
            assert ours.lease(NET + address) == theirs.lease(NET + address)
        for who in CLIENTS:
            expected = tuple(each for each in self.memory.all() if each.client == client(who))
            assert tuple(ours.leases(client(who))) == tuple(theirs.leases(client(who))) == expected

    @invariant()
    def same_history(self) -> None:
        """Whole, limited, and of one client or address."""
        questions: list[tuple[ClientKey | None, int | None, int]] = [
            (None, None, 100),
            (None, None, 3),
            *((client(who), None, 4) for who in CLIENTS),
        ]
        questions += [(None, NET + address, 4) for address in ADDRESSES]
        questions += [(client(0), NET + address, 2) for address in ADDRESSES]
        assert self.sqlite.history() == self.memory.history()
        for question in questions:
            expected = self.memory.history(*question)
            assert self.reader.history(*question) == expected

    def teardown(self) -> None:
        """Leave nothing behind."""
        self.reader.close()
        self.sqlite.close()
        self.folder.cleanup()


TestAgreement = Agreement.TestCase
TestAgreement.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
