"""`relet storm`: a fleet of clients that comes back all at once, against any DHCP server, and what came of it."""
