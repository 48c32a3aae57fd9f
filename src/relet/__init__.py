"""relet: a DHCPv4 server, client and laboratory whose heart is the reallocation of a lease (RFC 2131 s3.2).

`relet.lease` and what belongs to it is loaded when it is looked at, so that a client that only boots does not load asyncio.
"""

from importlib import import_module

TYPE_CHECKING = False  # as typing's, which is not loaded for this
if TYPE_CHECKING:
    from relet.run.lease import Lease, LeaseError, LeaseTimeoutError, lease
    from relet.run.terms import Terms
    from relet.run.told import Told

__version__ = "0.1.0"

__all__ = ["Lease", "LeaseError", "LeaseTimeoutError", "Terms", "Told", "lease"]

_PLACES = {"Terms": "relet.run.terms", "Told": "relet.run.told"}


def __getattr__(name: str) -> object:
    """What is looked at is loaded then."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PLACES.get(name, "relet.run.lease")), name)
