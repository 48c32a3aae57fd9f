"""The laboratory: the same cores under virtual time or in private networks, what is seen there, and how it is shown."""
