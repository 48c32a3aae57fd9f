"""The tables of a configuration file and their settings: names, kinds, defaults and what each means.

A field's name with hyphens for underscores is the setting's name in the file; an unknown one is an error. The JSON schema
and docs/settings.md are made from this. What settings mean together is not known here.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from relet.config import kinds as k


def _is(default: Any, meaning: str) -> Any:
    """A setting with its default as one would write it into the file."""
    return Field(default, description=meaning, validate_default=default is not None)


def _may(meaning: str, default: object = None) -> Any:
    """A setting that a level may leave out; default: what holds if every level does, for the documentation."""
    return Field(None, description=meaning, json_schema_extra={"default": default} if default is not None else None)  # type: ignore[dict-item]


class Settings(BaseModel):
    """What all tables have in common."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, alias_generator=lambda name: name.rstrip("_").replace("_", "-")
    )


class Said(Settings):
    """What clients get, as any level may say it; the nearest wins: reservation, class, pool, subnet, network, server."""

    options: k.Table = _is({}, 'Options by name, such as `{ routers = ["192.168.1.1"] }`; `option-N` for any code.')
    routes: list[k.Route] = _is(
        [],
        'Classless routes, such as `[{ to = "10.0.0.0/8", via = "192.168.1.254" }]`. Clients that read them ignore'
        " `routers`, so a default route is added from there.",
    )
    force: list[k.Text] = _is([], "Names of options that are sent whether or not the client asks for them.")
    next_server: k.Address | None = _may("Address of the server that a boot file is fetched from (siaddr).")
    server_name: k.ServerName | None = _may("Name of that server (sname), at most 63 octets.")
    boot_file: k.BootFile | None = _may("Name of the boot file (file), at most 127 octets.")
    lease_time: k.LeaseDuration | None = _may("Granted to a client that does not ask for a time.", "8h")
    min_lease_time: k.LeaseDuration | None = _may(
        "The shortest that a client may ask for; never longer than `lease-time`.", "60s"
    )
    max_lease_time: k.LeaseDuration | None = _may("The longest that a client may ask for; `lease-time` if left out.")
    renew_at: k.Share | None = _may("T1: share of the lease time after which the client renews.", 0.5)
    rebind_at: k.Share | None = _may("T2: share of the lease time after which it asks any server.", 0.875)
    host_defaults: bool | None = _may(
        "A client that asks for a parameter of the Host Requirements that is not configured gets its default, as RFC 2131"
        " has it. Some clients act on what they would have ignored otherwise (router discovery).",
        False,
    )


class Policy(Settings):
    """How a network treats its clients. In `[server]` it holds for all networks that do not say otherwise."""

    offer_time: k.Period = _is("60s", "How long an offer is held.")
    decline_time: k.Period = _is("24h", "How long an address found in use is kept from everybody.")
    foreign_address: Literal["nak", "silent"] = _is(
        "nak", "Answer to a rebooting client with an address of no subnet of its network."
    )
    unknown_reboot: Literal["silent", "nak", "adopt"] = _is(
        "silent", "Answer to a rebooting client without a record; `adopt` grants a free address of the pools."
    )
    unknown_reboot_after: k.Duration | None = _may(
        "Silent until a rebooting client has asked for so long, then refused; for networks with a second server."
    )
    cache_threshold: k.Threshold | None = _may(
        "Share of the lease time; with more than that left, a lease is confirmed for what is left and nothing is written."
    )
    match_client_id: bool = _is(True, "Know clients by option 61 where they send it, not by hardware address.")
    offer_time_left: bool = _is(
        False,
        "A client with a lease that starts anew and asks for no time gets what is left of its lease, as RFC 2131 has it, and"
        " a full one when it renews; otherwise it gets a full one at once.",
    )
    rapid_commit: bool = _is(False, "Grant in two messages to clients that offer it (RFC 4039).")
    auto_configure: bool | None = _may(
        "Whether a client that gets no address may make one up itself (RFC 2563); left out, it is not told."
    )
    bootp: Literal["refuse", "reserved", "dynamic"] = _is(
        "reserved", "Who gets an address by BOOTP: nobody, those with a reservation, or everybody (and for ever)."
    )
    probe: Literal["off", "arp", "ping", "both"] = _is("off", "How an address is probed before it is offered.")
    probe_wait: k.Wait = _is("500ms", "How long an answer to a probe is waited for.")
    hostnames: Literal["client", "reserved", "none", "generate"] = _is(
        "client",
        "Whose word a client's name is: the client's own, only a reservation's, nobody's, or one made by"
        " `hostname-pattern` where there is none. A reservation's name always comes first.",
    )
    hostname_pattern: k.Pattern = _is("dhcp-{address}", "`{address}` stands for the address with hyphens for dots.")
    subnet_selection: bool = _is(
        False, "Clients may choose a subnet of the network by option 118 (RFC 3011), wherever they are."
    )
    trust_relay_information: bool = _is(
        False, "Option 82 of hosts on the network's own link is taken for true, because a switch adds it."
    )
    limit_per_circuit: k.Count | None = _may("Leases and offers at most for one circuit of a relay.")
    limit_without_circuit: k.Count | None = _may(
        "Leases and offers at most for all clients together that come without a circuit."
    )
    client_rate: k.Rate | None = _may(
        "Requests a second of one client (by hardware address) that are answered, beside those to keep or give back a lease."
    )
    circuit_rate: k.Rate | None = _may("Requests a second of one circuit of a relay that are answered.")
    moving_time: k.Period = _is("60s", "What a client that has to move to another address is granted when it renews.")
    nearly_full: k.Threshold = _is(0.9, "Share of a pool in use from which on it is told to be nearly full.")


class FileTable(Settings):
    """The file itself."""

    include: list[k.Text] = _is([], "Further files, relative to this one; `*` stands for any name.")
    option: k.Tables = _is([], "An option that relet does not know by itself.")
    server: k.Table = _is({}, "The server, and what holds for all networks.")
    network: k.Tables = _is([], "A broadcast domain.")
    class_: k.Tables = _is([], "Clients that have something in common.")
    reservation: k.Tables = _is([], "Kept for one client wherever it comes up.")


class ServerTable(Policy, Said):
    """The server, and what holds for all networks."""

    store: k.Text = _is("sqlite:leases.db", 'Where leases live, relative to the file; `"memory:"` forgets them.')
    sync: Literal["batch", "interval", "os"] = _is(
        "batch",
        "When leases are safe from a power failure: before they are acknowledged, a second later, or some time.",
    )
    control: k.TextOrNothing = _is(
        "relet.sock", 'Socket for `relet why` and its like, relative to the file; `""`: none.'
    )
    listen: list[k.Address] = _is(
        [],
        "Addresses on which relays and renewals are heard besides the interfaces' own; needed if no network has an"
        " interface.",
    )
    receive_buffer: k.BufferSize = _is(
        "64MiB",
        "What waits for the server at each socket, in octets as the kernel reckons: 1,280 for an ordinary request, so 52,000"
        " of them.",
    )
    merge_replies: bool = _is(
        False,
        "Replies of one length to one relay pass the kernel as one, which costs a third; the interface divides them again."
        " Not for relays that read past the kernel (ISC dhcrelay) in a container or virtual machine of this host: they would"
        " see them undivided.",
    )
    leasequery: list[k.Address] = _is([], "Relays (giaddr) that may ask about leases (RFC 4388).")
    user: k.TextOrNothing = _is("", "User that the server becomes once its sockets are open.")
    group: k.TextOrNothing = _is("", "Group that it takes, and that may use the control socket.")
    metrics: k.Endpoint = _is("", 'Address and port on which Prometheus is answered, such as `"127.0.0.1:9547"`.')
    backlog: k.Backlog = _is(
        200_000, "Requests that may wait in memory, some 700 octets each, when more come than can be served."
    )


class NetworkTable(Policy, Said):
    """One broadcast domain: subnets that share a link."""

    name: k.Text = Field("", description="What it is called. It must have a name.")
    interfaces: list[k.Interface] = _is([], "Interfaces on which its clients are heard directly.")
    relays: list[k.Address] = _is([], "Relays (giaddr) served besides those inside the subnets.")
    allow: list[k.ClassName] = _is([], "Only clients of these classes are served.")
    deny: list[k.ClassName] = _is([], "Clients of these classes are not served.")
    subnet: k.Tables = _is([], "Its prefixes.")
    reservation: k.Tables = _is([], "Kept for one client on this network.")


class SubnetTable(Said):
    """One prefix of a network."""

    prefix: k.Prefix = Field(description='Such as `"192.168.1.0/24"`.')
    pools: list[k.Span] = _is([], 'Addresses for everybody: `"A-B"`, `"A/N"` or one address.')
    exclude: list[k.Span] = _is([], "Addresses that are in none of its pools, written likewise.")
    pool: k.Tables = _is([], "Pools with classes or settings of their own.")


class PoolTable(Said):
    """Addresses for clients without a reservation, with classes or settings of their own."""

    range: k.Span | None = _may('`"A-B"`, `"A/N"` or one address.')
    ranges: list[k.Span] = _is([], "Several of them.")
    exclude: list[k.Span] = _is([], "Addresses that are left out, written likewise.")
    allow: list[k.ClassName] = _is([], "Only clients of these classes get an address of it.")
    deny: list[k.ClassName] = _is([], "Clients of these classes get none.")


class ClassTable(Said):
    """Clients that have something in common. A client may be in several; of those, the first in the file wins."""

    name: k.ClassName = Field(description="What it is called.")
    test: k.Text | None = _may("Who belongs to it. Left out: only those whom a reservation puts into it.")
    refuse: bool = _is(False, "Its clients are not served at all.")


class OptionTable(Settings):
    """An option that relet does not know by itself. `options` may then set it by its name."""

    name: k.OptionName = Field(description="What `options` calls it.")
    code: k.OptionCode = Field(description="Its number.")
    type: k.OptionType = Field(
        description="Kind of its value: address, addresses, address6, addresses6, bool, hex, int32, name, names, routes,"
        ' text, uint8, uint16, uint32; or a record of them, such as `{ priority = "uint8", host = "text" }`.'
    )
    space: k.Space = _is(
        "dhcp4",
        'Where it belongs: `"dhcp4"` for an option of its own, `"vendor"` for a sub-option of 43, a number for a sub-option'
        " of 125 under that enterprise.",
    )
    list: bool = _is(False, "Its value is a list of values of that type.")


class ReservationTable(Said):
    """What is kept for one client: an address, a name, classes, settings. The client is named by one of the first seven."""

    mac: k.Mac | None = _may("Hardware address of the client.")
    client_id: k.Identifier | None = _may("Its client identifier (option 61), as `01:52:54:..`, `0x015254` or text.")
    circuit_id: k.Identifier | None = _may("Circuit that its relay names (option 82), written likewise.")
    remote_id: k.Identifier | None = _may("Remote id that its relay names (option 82), written likewise.")
    subscriber_id: k.Identifier | None = _may("Subscriber that its relay names (option 82), written likewise.")
    option: k.Table | None = _may('Any other option and its value, such as `{ uuid-guid = { hex = "00:01" } }`.')
    hostname: k.Hostname = Field(
        "", description="Name that the client gets; if nothing else names the client, the name that it goes by."
    )
    address: k.Address | None = _may("Address kept for it, inside or outside of pools.")
    shared: bool = _is(False, "The address is reserved for several clients; each of them has to say so.")
    classes: list[k.ClassName] = _is([], "Classes that the client is in besides those whose test it passes.")


TABLES: dict[str, type[Settings]] = {
    "[server]": ServerTable,
    "[[network]]": NetworkTable,
    "[[network.subnet]]": SubnetTable,
    "[[network.subnet.pool]]": PoolTable,
    "[[network.reservation]]": ReservationTable,
    "[[class]]": ClassTable,
    "[[reservation]]": ReservationTable,
    "[[option]]": OptionTable,
}
"""Every table of a file by its heading."""
