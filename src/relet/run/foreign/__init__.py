"""Lease files of other DHCP clients, read once so that a machine that switches keeps its address.

They are files of other programs: half written, of another version, or no such files at all. What cannot be used is left out,
and nothing in them raises but ValueError.
"""
