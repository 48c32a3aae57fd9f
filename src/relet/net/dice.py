"""Random numbers from the kernel, where a core is told to throw dice. Nobody who hears some can tell the next."""

import os

_OCTETS, _BITS = 7, 53
"""As many bits as a float between 0 and 1 can tell apart, in whole octets."""


def throw() -> float:
    """A number of [0, 1), each as likely."""
    return (int.from_bytes(os.urandom(_OCTETS)) >> 8 * _OCTETS - _BITS) * 2.0**-_BITS
