"""Bytes to values and back. Knows formats, not meaning; nothing here decides, waits or does I/O."""
