"""Runs a command whose command line stands in its function's annotations, as typer reads them.

Loading typer takes longer than a lease does, so a command for which every millisecond counts reads its command line itself.
"""

from collections.abc import Callable, Sequence

import typer


def run(name: str, function: Callable[..., None], arguments: Sequence[str]) -> None:
    """Call `function` with what is written behind `relet NAME`. Ends by SystemExit: 0, 2 for wrong use, or its own code."""
    app = typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.command(name)(function)
    app(list(arguments), prog_name=f"relet {name}")
