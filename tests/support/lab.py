"""The lab that ships with relet (relet/lab/spaces.py), for our own tests. What the machine lacks makes a test skip, but fail
where CI is 'true'.

with Lab() as lab:
    server, client = lab.namespace("server"), lab.namespace("client")
    lab.cable(server, "s0", client, "c0")
    process = lab.start(server, "dnsmasq", "--keep-in-foreground")
"""

import os

import pytest

from relet.lab import spaces
from relet.lab.spaces import PATIENCE_S, RELET, LabError, Process, gather, until

__all__ = ["PATIENCE_S", "RELET", "Lab", "Process", "gather", "lacking", "need", "until"]


def lacking(what: str) -> None:
    """Skip the test for want of something, or fail it in CI, where everything must be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must have {what}")
    pytest.skip(f"needs {what}")


def need(program: str) -> str:
    """Path of a program, also of those that only root has in its path."""
    try:
        return spaces.need(program)
    except LabError as error:
        lacking(str(error).removeprefix("needs "))
        raise


class Lab(spaces.Lab):
    """Namespaces and processes that end with the lab; skips where the machine has no namespaces."""

    def namespace(self, label: str) -> str:
        """A new namespace with its loopback up."""
        try:
            return super().namespace(label)
        except LabError as error:
            lacking(str(error).removeprefix("needs "))
            raise
