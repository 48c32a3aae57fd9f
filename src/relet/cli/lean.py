"""Loads msgspec without what it can do without, for a command that has to be quick.

msgspec takes three names from typing_extensions if that is installed, and the same ones from typing if not. With the first
come inspect, ast, dis and tokenize: a sixth of the time in which a client has sent its first message. Only in a process
that is ours alone, as nothing else may want typing_extensions meanwhile.
"""

import sys
from typing import cast

_UNWANTED = "typing_extensions"

if not {_UNWANTED, "msgspec"} & sys.modules.keys():
    modules = cast(dict[str, object], sys.modules)
    modules[_UNWANTED] = None  # an import of it is an ImportError
    try:
        import msgspec  # noqa: F401
    finally:
        del modules[_UNWANTED]
