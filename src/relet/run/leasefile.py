"""The client's lease file: what it remembers of the networks that it was on, so that the next start asks for its address.

The octets are made in `leaseformat` and written by `smallfile`, always whole. A file that cannot be used is moved aside as
'.bad' if that is possible, and the client starts without a lease and says so.
"""

from pathlib import Path

from relet.model.effects import Note
from relet.run import smallfile
from relet.run.leaseformat import MAX_OCTETS, Content, decode, encode

FOLDER = Path("/var/lib/relet")


def default_path(interface: str) -> Path:
    """Where an interface's leases are kept unless the operator says otherwise."""
    return FOLDER / f"{interface}.lease"


def load(path: Path) -> tuple[Content | None, list[Note]]:
    """What the file holds, None if there is none that can be used; what the operator should hear of it."""
    try:
        content, problems = decode(smallfile.read(path, MAX_OCTETS))
    except FileNotFoundError:
        return None, []
    except OSError as error:
        return None, [Note("bad-lease-file", f"{path} cannot be read: {error.strerror}")]
    except ValueError as error:
        return None, [Note("bad-lease-file", f"{path} cannot be used: {error}; {smallfile.set_aside(path)}")]
    return content, [Note("bad-lease-file", f"{path}: {problem}") for problem in problems]


def save(path: Path, content: Content) -> None:
    """Remember this, safe on disk when it returns; nothing removes the file. Raises OSError; what was there then stays."""
    if content == Content():
        smallfile.remove(path)
    else:
        smallfile.write(path, encode(content))
