"""The wrong answers that a storm looks for: each has a name, under which it is counted, and a sentence."""

TWO_CLIENTS = "two-clients-one-address"
OTHER_ADDRESS = "other-address"
FOREIGN = "foreign-address-confirmed"
TAKEN = "taken-address-confirmed"
NAK_WITHOUT_RIGHT = "nak-without-right"
NOBODY = "answer-to-nobody"
OTHER_HARDWARE = "other-hardware-address"
NO_RELAY_INFORMATION = "relay-information-lost"
MALFORMED = "malformed"

WRONG: dict[str, str] = {
    TWO_CLIENTS: "two clients have one address, and both leases last",
    OTHER_ADDRESS: "an ACK for an address that the client did not ask for",
    FOREIGN: "an ACK for a remembered address of another network",
    TAKEN: "an ACK for an address that another client has a lease on",
    NAK_WITHOUT_RIGHT: "a NAK for a lease that this server granted and that has not expired",
    NOBODY: "an answer with a transaction number that no client uses",
    OTHER_HARDWARE: "an answer whose hardware address is not that of the transaction's client",
    NO_RELAY_INFORMATION: "an answer without the relay agent information of its request (RFC 3046 s2.2)",
    MALFORMED: "an answer that cannot be read, or lacks what every answer must have",
}

MOST_EXAMPLES = 5
"""Examples told of each."""
