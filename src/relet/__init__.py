"""relet: a DHCPv4 server, client and laboratory whose heart is the reallocation of a lease (RFC 2131 s3.2)."""

__version__ = "0.1.0"
