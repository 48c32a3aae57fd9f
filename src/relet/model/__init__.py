"""The nouns that server, client, stores and laboratory share."""
