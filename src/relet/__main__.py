"""`python -m relet` is `relet`."""

from relet.cli.main import main

main()
