"""The RFC 2131 client as a machine without a world: events in, effects out, time and dice as arguments."""
