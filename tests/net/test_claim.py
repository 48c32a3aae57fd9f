"""One client on an interface; the same name in another namespace is another interface."""

import errno

import pytest

from relet.net.claim import claim
from relet.net.link import LinkError
from support.lab import Lab

pytestmark = pytest.mark.namespaces


def _host(lab: Lab, label: str) -> str:
    """A namespace with interfaces c0 and c1."""
    name = lab.namespace(label)
    lab.ip(name, "link", "add", "c0", "type", "veth", "peer", "name", "c1")
    return name


def test_a_claim_holds_for_its_interface_until_it_is_closed() -> None:
    with Lab() as lab, lab.inside(_host(lab, "host")):
        held, other = claim("c0"), claim("c1")
        with pytest.raises(LinkError, match="cannot claim c0: Address already in use") as caught:
            claim("c0")
        assert caught.value.code == errno.EADDRINUSE
        held.close()
        claim("c0").close()
        other.close()


def test_another_namespace_has_interfaces_of_its_own() -> None:
    with Lab() as lab:
        with lab.inside(_host(lab, "one")):
            one = claim("c0")
        with lab.inside(_host(lab, "two")):
            claim("c0").close()
        one.close()
