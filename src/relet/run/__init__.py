"""The real world drives a core: the loop, and what carries out the effects of a server or a client on a machine."""
