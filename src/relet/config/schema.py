"""The tables of a configuration file and their settings: names, kinds and defaults, one line each.

A field's name with hyphens for underscores is the setting's name in the file; an unknown one is an error. What settings
mean together is not known here.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, PlainValidator

from relet.config import values

Text = Annotated[str, PlainValidator(values.text)]
TextOrNothing = Annotated[str, PlainValidator(values.text_or_nothing)]
Interface = Annotated[str, PlainValidator(values.interface)]
Hostname = Annotated[str, PlainValidator(values.hostname)]
Address = Annotated[int, PlainValidator(values.address)]
Prefix = Annotated[tuple[int, int], PlainValidator(values.prefix)]
Pool = Annotated[values.Pool, PlainValidator(values.pool)]
Duration = Annotated[int, PlainValidator(values.duration)]
Period = Annotated[int, PlainValidator(values.period)]
LeaseDuration = Annotated[int, PlainValidator(values.lease_duration)]
Share = Annotated[float, PlainValidator(values.share)]
Threshold = Annotated[float, PlainValidator(values.threshold)]
Mac = Annotated[bytes, PlainValidator(values.mac)]
Identifier = Annotated[bytes, PlainValidator(values.identifier)]
Table = Annotated[dict[str, object], PlainValidator(values.table)]
Tables = Annotated[tuple[dict[str, object], ...], PlainValidator(values.tables)]


class Settings(BaseModel):
    """What all tables have in common."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, alias_generator=lambda name: name.replace("_", "-")
    )


class FileTable(Settings):
    """The file itself."""

    server: Table = {}
    network: Tables = ()


class ServerTable(Settings):
    """[server]"""

    store: Text = "sqlite:leases.db"
    control: TextOrNothing = "relet.sock"
    listen: list[Address] = []
    options: Table = {}


class NetworkTable(Settings):
    """[[network]]: one broadcast domain. It needs a name; without one the rest is checked all the same."""

    name: Text = ""
    interfaces: list[Interface] = []
    relays: list[Address] = []
    lease_time: LeaseDuration = 8 * 3600
    min_lease_time: LeaseDuration | None = None
    max_lease_time: LeaseDuration | None = None
    renew_at: Share = 0.5
    rebind_at: Share = 0.875
    offer_time: Period = 60
    decline_time: Period = 24 * 3600
    foreign_address: Literal["nak", "silent"] = "nak"
    unknown_reboot: Literal["silent", "nak", "adopt"] = "silent"
    unknown_reboot_after: Duration | None = None
    cache_threshold: Threshold | None = None
    match_client_id: bool = True
    options: Table = {}
    subnet: Tables = ()
    reservation: Tables = ()


class SubnetTable(Settings):
    """[[network.subnet]]"""

    prefix: Prefix
    pools: list[Pool] = []
    options: Table = {}


class ReservationTable(Settings):
    """[[network.reservation]]: an address for one client, named by one of the first four."""

    mac: Mac | None = None
    client_id: Identifier | None = None
    circuit_id: Identifier | None = None
    remote_id: Identifier | None = None
    address: Address
    hostname: Hostname = ""
    options: Table = {}
