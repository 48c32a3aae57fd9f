"""What decides whether a client belongs to a class: a test over the fields and options of its request.

Only the shape of a test; config/expression.py reads one from text, server/match.py makes it answer.
"""

import msgspec


class Expression(msgspec.Struct, frozen=True, tag=True):
    """A test. It is true or false of any request, and never fails."""
