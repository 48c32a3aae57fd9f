"""`relet`: which commands there are, and how every one of them ends.

A command's module is imported when that command is called and not before, so `relet --help` is quick and a server
carries nothing that only another command needs. Exit codes: 0 good, 1 no, 2 wrong use, 3 environment, 130 interrupted.
"""

import sys

INTERRUPTED = 130
"""What a shell reports of a program that SIGINT ended."""

try:  # importing takes longer than an impatient user waits
    from collections.abc import Callable, Sequence
    from importlib import import_module
    from typing import Annotated, NamedTuple

    import typer

    from relet import __version__
    from relet.errors import ConfigError, MachineError, ReletError
except KeyboardInterrupt:
    sys.exit(INTERRUPTED)

NO = 1
ENVIRONMENT = 3


class Command(NamedTuple):
    """A row of `relet --help`. target: 'module:function', a plain function with typer's annotations."""

    name: str
    target: str
    summary: str


COMMANDS = (
    Command(
        "serve", "relet.cli.serve:serve", "Serve leases on the links of a configuration file, or on one interface."
    ),
    Command("client", "relet.cli.client:client", "Get, keep and use a lease on an interface."),
    Command("leases", "relet.cli.leases:leases", "List the leases that a server has granted."),
    Command("history", "relet.cli.history:history", "Tell who had which address when."),
    Command("why", "relet.cli.why:why", "Explain a server's last answers to a client, and its silence."),
    Command("status", "relet.cli.status:status", "Count what a running server answered and what it threw away."),
    Command("check", "relet.cli.check:check", "Check a configuration file and say what it would serve."),
    Command(
        "reload",
        "relet.cli.reload:reload",
        "Have the running server read its configuration again, or tell what changes.",
    ),
    Command("lease", "relet.cli.lease:lease", "Add, change, end or reserve a lease by hand; lift a quarantine."),
    Command("decode", "relet.cli.decode:decode", "Show DHCP messages in hex or in a capture as text or JSON."),
    Command("storm", "relet.cli.storm:storm", "Let a fleet of clients loose on a DHCP server, and see how it fares."),
    Command("demo", "relet.cli.demo:demo", "Watch a client reallocate its lease in a network of its own."),
)


def main() -> None:
    """Run the command line and end the process. Errors that are not our own bug are told in words, without a traceback."""
    try:
        build(sys.argv[1:])(prog_name="relet")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except ConfigError as error:
        # 'file:line:' stands at the beginning of each line, where editors look for it.
        _end(str(error), NO)
    except MachineError as error:
        _end(f"relet: {error}", ENVIRONMENT)
    except ReletError as error:
        _end(f"relet: {error}", NO)
    except OSError as error:
        named = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        _end(f"relet: {named}", ENVIRONMENT)


def build(arguments: Sequence[str]) -> typer.Typer:
    """The application. Only the command that the arguments call is the real one, the others know their summary."""
    called = next((argument for argument in arguments if not argument.startswith("-")), "")
    app = typer.Typer(
        name="relet",
        help="A DHCPv4 server, client and laboratory whose heart is the reallocation of a lease (RFC 2131 s3.2).",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_relet)
    for command in COMMANDS:
        function = _load(command.target) if command.name == called else _uncalled
        app.command(command.name, short_help=command.summary)(function)
    return app


def _tell_version(asked: bool) -> None:
    if asked:
        print(f"relet {__version__}")
        raise typer.Exit


def _relet(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_tell_version, is_eager=True, help="Say which version."),
    ] = False,
) -> None:
    pass


def _load(target: str) -> Callable[..., None]:
    module, _, name = target.partition(":")
    function: Callable[..., None] = getattr(import_module(module), name)
    return function


def _uncalled() -> None:
    raise AssertionError("a command that was not called was run")


def _end(message: str, code: int) -> None:
    print(message, file=sys.stderr)
    sys.exit(code)
