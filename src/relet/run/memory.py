"""What the client on one interface remembers, and as whom: read before its first message, written whenever that changes.

The identity comes first, for a lease is of use only to the one that it was granted to. Without a file of our own, what
another DHCP client of this host has left is taken over: its leases, and the client identifier by which servers know it.
"""

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from relet.client.identity import by_duid, by_hardware, duid_of, identity_text
from relet.client.memory import MAX_NETWORKS, Leases
from relet.model.effects import Note, Remembered
from relet.net.link import LinkInfo
from relet.run.foreign.places import places
from relet.run.identity import Who, host_duid, iaid
from relet.run.leasefile import FOLDER, load, save
from relet.run.leaseformat import Content, Identity, Kept, Taken
from relet.wire.address import ip_text

if TYPE_CHECKING:
    from relet.run.foreign.search import Source

READERS = "relet.run.foreign.search"
"""Loaded only when there is a file to read: that is once in a host's life, and the client starts often."""


class Recall(msgspec.Struct, frozen=True):
    """What the operator wants of a client's memory.

    lease_file: where leases are remembered, None: nowhere. who: the client's identity, None for the one taken over.
    anonymous: the hardware address is all that may be said (RFC 7844 s3.5). take_over: look for other clients' leases if
    there is no lease file. take_from: a file of another client to take over in any case.
    """

    lease_file: Path | None
    who: Who | None = None
    anonymous: bool = False
    take_over: bool = True
    take_from: Path | None = None


class Memory:
    """The memory of the client on an interface. Raises MachineError if the host's DUID is wanted and cannot be read.

    identity: who the client is. leases: what it remembers as that, newest first. notes: what the operator should hear.
    """

    def __init__(self, link: LinkInfo, recall: Recall, wall: float, root: Path = Path("/")) -> None:
        self._recall = recall
        content, self.notes = load(recall.lease_file) if recall.lease_file else (Content(), [])
        self._content = content or Content()
        self._take_over(link, content is None, wall, root)
        self.identity = Identity(link.mac, self._client_id(link))

    @property
    def leases(self) -> Leases:
        return self._content.of(self.identity)

    def remember(self, leases: Leases) -> None:
        """Make these the remembered leases of this identity. Raises OSError, in words; what is in the file then stays."""
        self._content = self._content.replacing(self.identity, leases)
        file = self._recall.lease_file
        try:
            if file:
                save(file, self._content)
        except OSError as error:
            raise OSError(f"the lease file {file} stays as it was: {error.strerror}") from error

    def _take_over(self, link: LinkInfo, is_new: bool, wall: float, root: Path) -> None:
        recall = self._recall
        paths: list[Path] = []
        if recall.take_from:
            paths = [recall.take_from]
        elif is_new and recall.take_over and not recall.anonymous:
            paths = places(link, root)
        if not paths:
            return
        sources: list[Source]
        sources, notes = import_module(READERS).search(paths, link, root)
        self.notes += notes
        found = sorted(
            ((each, source.path) for source in sources for each in source.found),
            key=lambda pair: pair[0].binding.requested_at,
        )
        if not found:
            if recall.take_from and not notes:
                self._say("not-imported", f"{recall.take_from} has no lease of {link.name}")
            return
        newest, path = found[-1]
        kept = _newest_of_each(
            Kept(Identity(link.mac, each.client_id), Remembered(each.binding))
            for each, _ in found
            if wall < each.binding.expires()
        )
        taken = Taken(Identity(link.mac, newest.client_id), str(path))
        self._content = Content(_newest_of_each((*self._content.kept, *kept)), taken)
        names = ", ".join(ip_text(each.lease.binding.address) for each in kept) or "no lease that lasts"
        self._say("imported", f"taken over from {path}: {names}, with {identity_text(newest.client_id)}")

    def _client_id(self, link: LinkInfo) -> bytes | None:
        taken = self._content.taken
        before = taken.identity.client_id if taken and taken.identity.mac == link.mac else None
        match "mac" if self._recall.anonymous else self._recall.who:
            case None:
                return before
            case "none":
                return None
            case "mac":
                return by_hardware(link.mac)
            case "duid":
                return self._by_duid(link, before)
            case bytes() as octets:
                return octets

    def _by_duid(self, link: LinkInfo, before: bytes | None) -> bytes:
        """RFC 4361: the host's DUID. With the IAID that went with it so far, if this interface is known by it."""
        used = [before, *(kept.identity.client_id for kept in self._content.kept if kept.identity.mac == link.mac)]
        known = next(filter(None, map(duid_of, used)), None)
        duid, notes = host_duid(self._folder() / "duid", known)
        self.notes += notes
        return before if before and duid_of(before) == duid else by_duid(iaid(link.name), duid)

    def _folder(self) -> Path:
        """The DUID lies beside the leases: where the client may write, and nobody else."""
        return self._recall.lease_file.parent if self._recall.lease_file else FOLDER

    def _say(self, kind: str, text: str) -> None:
        self.notes.append(Note(kind, text))


def _newest_of_each(kept: Iterable[Kept]) -> tuple[Kept, ...]:
    """Newest first; of one identity's leases on one subnet of one server only the newest (their gateways are not known)."""
    ordered = sorted(kept, key=lambda each: each.lease.binding.requested_at, reverse=True)
    by_network: dict[object, Kept] = {}
    for each in ordered:
        binding = each.lease.binding
        by_network.setdefault((each.identity, binding.prefix(), binding.server, each.lease.gateway), each)
    return tuple(by_network.values())[:MAX_NETWORKS]
