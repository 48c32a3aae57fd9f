"""Options that a file makes itself, and options inside options: what goes out, and what is said of bad ones."""

from pathlib import Path

import pytest

from relet.config.load import parse
from relet.errors import ConfigError
from relet.model.expression import All, AsksFor, Compare
from relet.server.parameters import filled, with_default_route

BASE = """\
[[network]]
name = "a"
interfaces = ["eth0"]
options = { OPTIONS }
[[network.subnet]]
prefix = "10.0.0.0/24"
"""
CUSTOM = """
[[option]]
name = "acme-server"
code = 224
type = "addresses"
[[option]]
name = "acme-ports"
code = 225
type = "uint16"
list = true
[[option]]
name = "acme-proxy"
code = 226
type = { priority = "uint8", host = "text" }
[[option]]
name = "acme-search"
code = 227
type = "names"
[[option]]
name = "acme-url"
code = 1
type = "text"
space = "vendor"
[[option]]
name = "other-url"
code = 1
type = "text"
space = "vendor"
[[option]]
name = "acme-level"
code = 7
type = "int32"
space = 99999
[[option]]
name = "our-tftp"
code = 200
type = "address"
space = 4491
"""


def options(written: str, custom: str = CUSTOM) -> dict[int, bytes]:
    """What a network with these options has, less what follows from elsewhere."""
    return parse(BASE.replace("OPTIONS", written) + custom, "f", Path("/")).networks[0].parameters.options


@pytest.mark.parametrize(
    ("written", "code", "octets"),
    [
        ('acme-server = ["10.0.0.1", "10.0.0.2"]', 224, "0a000001 0a000002"),
        ("acme-ports = [80, 443]", 225, "0050 01bb"),
        ('acme-proxy = { priority = 5, host = "p" }', 226, "05 70"),
        ('acme-search = ["a.b", "c"]', 227, "01 61 01 62 00 01 63 00"),
        ('option-224 = "10.0.0.9"', 224, "0a000009"),
        ('option-231 = { hex = "0102" }', 231, "0102"),
        ('vendor-encapsulated-options = { acme-url = "u" }', 43, "01 01 75"),
        ('vendor-encapsulated-options = { other-url = "v", option-9 = { hex = "00" } }', 43, "01 01 76 09 01 00"),
        ("vivso-suboptions = { 99999 = { acme-level = -2 } }", 125, "0001869f 06 07 04 fffffffe"),
        ('vivso-suboptions = { 4491 = { our-tftp = "10.0.0.1", tftp-servers = ["10.0.0.2"] } }', 125,
         "0000118b 0c c8 04 0a000001 02 04 0a000002"),
        ('vivso-suboptions = [{ enterprise = 4491, data = { option-9 = { hex = "07" } } }]', 125, "0000118b 03 09 01 07"),
        ('vivco-suboptions = { 4491 = "docsis3.0" }', 124, "0000118b 09 646f63736973332e30"),
    ],
)  # fmt: skip
def test_what_goes_out(written: str, code: int, octets: str) -> None:
    assert options(written) == {code: bytes.fromhex(octets)}


def test_made_options_can_be_forced() -> None:
    text = BASE.replace("OPTIONS", "").replace('["eth0"]', '["eth0"]\nforce = ["acme-server"]')
    assert parse(text + CUSTOM, "f", Path("/")).networks[0].parameters.force == {224}


def test_made_options_can_be_tested_by_classes() -> None:
    tested = """
[[class]]
name = "acme"
test = 'option.acme-server contains 10.0.0.1 and asks-for acme-ports'
"""
    test = parse(BASE.replace("OPTIONS", "") + CUSTOM + tested, "f", Path("/")).networks[0].classes[0].test
    assert isinstance(test, All)
    compared, asked = test.parts
    assert isinstance(compared, Compare)
    assert (compared.field.code, compared.field.sort) == (224, "address")
    assert asked == AsksFor(225)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("code = 224", "code = 51", "f:10: option acme-server: code 51 belongs to the exchange itself; write another code"),
        ("code = 224", "code = 255",
         "f:10: option acme-server: code: 255 is not the code of an option; write a number from 1 to 254"),
        ("code = 224", "code = 66",
         "f:10: option acme-server: code 66 is option 'tftp-server-name' (66); write tftp-server-name = .. under options,"
         " without this table"),
        ('"acme-server"', '"routers"',
         "f:9: option routers: name routers is option 'routers' (3); write routers = .. under options, without this table"),
        ('"acme-server"', '"Acme Server"',
         "f:9: option Acme Server: name: 'Acme Server' is not the name of an option; write it such as 'acme-server'"),
        ('"addresses"', '"ip"',
         "f:11: option acme-server: type: 'ip' is none; write one of address, addresses, address6, addresses6, bool, hex,"
         " int32, name, names, routes, text, uint8, uint16, uint32"),
        ('priority = "uint8"', 'priority = "int"',
         "f:20: option acme-proxy: type: 'int' is none; write one of address, addresses, address6, addresses6, bool, hex,"
         " int32, name, names, routes, text, uint8, uint16, uint32 for each part"),
        ('{ priority = "uint8", host = "text" }', '{ host = "text", priority = "uint8" }',
         "f:20: option acme-proxy: type: 'host' has no fixed length and is not the last part; put it last"),
        ('{ priority = "uint8", host = "text" }', "{}",
         "f:20: option acme-proxy: type: the record is empty; write one of address, addresses, address6, addresses6, bool,"
         " hex, int32, name, names, routes, text, uint8, uint16, uint32 for each part"),
        ('"addresses"', '"text"\nlist = true',
         "f:12: option acme-server: list: items of 'text' have no fixed length; leave it out, or make the option of type"
         " hex"),
        ("code = 225", "code = 224",
         "f:12: option acme-ports: is made in line 8 already; give it another name and code, or leave one out"),
        ('"other-url"', '"acme-url"',
         "f:30: option acme-url: is made in line 25 already; give it another name and code, or leave one out"),
        ('"vendor"', '"acme"',
         "f:29: option acme-url: space: 'acme' is none; write 'vendor' for option 43, or the enterprise number for"
         " option 125"),
        ('"vendor"', "-1",
         "f:29: option acme-url: space: -1 is no space of options; write 'vendor' or an enterprise number"),
        ("code = 200", "code = 2",
         "f:42: option our-tftp: code 2 is option 'tftp-servers' (2); write tftp-servers = .. under options, without this"
         " table"),
        ('type = "addresses"\n', "", "f:8: option acme-server: 'type' is missing; write type = \"text\""),
    ],
)  # fmt: skip
def test_bad_options(old: str, new: str, said: str) -> None:
    assert old in CUSTOM
    with pytest.raises(ConfigError) as caught:
        options("", CUSTOM.replace(old, new, 1))
    assert [str(problem) for problem in caught.value.problems] == [said]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("acme-server = 5", "option acme-server: 5 is not an IPv4 address such as \"192.168.1.10\""),
        ("acme-sever = 5", "unknown option 'acme-sever'; did you mean 'acme-server'?"),
        ('vendor-encapsulated-options = { acme-url = "u", other-url = "v" }',
         "option vendor-encapsulated-options: two of these sub-options have the same code; leave one out"),
        ('vendor-encapsulated-options = { acm-url = "u" }',
         "option vendor-encapsulated-options: 'acm-url' is no sub-option known here; write other-url, or option-9"
         " for code 9"),
    ],
)  # fmt: skip
def test_bad_values(written: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        options(written)
    assert [str(problem) for problem in caught.value.problems] == [f'f:4: network "a": {said}']


ROUTES = 'routes = [{ to = "10.0.0.0/8", via = "10.0.0.254" }, { to = "192.168.0.0/16" }]\n'


def test_plain_routes_make_option_121() -> None:
    network = parse(BASE.replace("options = { OPTIONS }\n", ROUTES), "f", Path("/")).networks[0]
    assert network.parameters.options == {121: bytes.fromhex("08 0a 0a0000fe 10 c0a8 00000000")}


def test_a_default_route_is_among_them_if_there_is_a_router() -> None:
    """RFC 3442: who reads option 121 ignores option 3."""
    text = BASE.replace("options = { OPTIONS }\n", ROUTES) + 'options = { routers = ["10.0.0.1", "10.0.0.2"] }\n'
    network = parse(text, "f", Path("/")).networks[0]
    terms = filled(network.subnets[0].parameters)
    assert terms.options[121] == bytes.fromhex("08 0a 0a0000fe 10 c0a8 00000000 00 0a000001")
    said = {3: bytes((10, 0, 0, 1)), 121: bytes.fromhex("00 0a000009")}
    assert with_default_route(said) == said
    raw = {3: bytes((10, 0, 0, 1)), 121: b"\x99"}  # as { hex = .. } lets one write
    assert with_default_route(raw) == raw


@pytest.mark.parametrize(
    ("routes", "said"),
    [
        ('routes = [{ to = "10.0.0.1/8", via = "10.0.0.254" }]',
         "routes: '10.0.0.1/8' has bits set behind its width; write 10.0.0.0/8"),
        ('routes = [{ via = "10.0.0.254" }]',
         "routes: {'via': '10.0.0.254'} is not a route; write { to = \"10.0.0.0/8\", via = \"192.168.1.254\" }"),
        (ROUTES.strip() + '\noptions = { classless-static-route = "10.0.0.0/8 via 10.0.0.1" }',
         "routes and option 'classless-static-route' are both there; leave one out; routes makes the option"),
    ],
)  # fmt: skip
def test_bad_routes(routes: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(BASE.replace("options = { OPTIONS }", routes), "f", Path("/"))
    assert [str(problem) for problem in caught.value.problems] == [f'f:4: network "a": {said}']
