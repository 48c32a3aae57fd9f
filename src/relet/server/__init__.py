"""From a request to a verdict, pure: bytes and time come in, replies and lease changes go out (RFC 2131 s4.3)."""
