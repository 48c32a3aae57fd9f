"""`relet`: which commands there are, and how every one of them ends.

A command's module is imported when that command is called and not before: a client has its lease sooner, and a server
carries nothing that only another command needs. Exit codes: 0 good, 1 no, 2 wrong use, 3 environment, 130 interrupted.
"""

import sys

INTERRUPTED = 130
"""What a shell reports of a program that SIGINT ended."""

try:  # importing takes longer than an impatient user waits
    import gc
    from collections.abc import Sequence
    from importlib import import_module
    from types import FunctionType

    from relet import __version__
    from relet.errors import ConfigError, MachineError, ReletError
except KeyboardInterrupt:
    sys.exit(INTERRUPTED)

GOOD, NO, WRONG_USE, ENVIRONMENT = 0, 1, 2, 3

USAGE = "Usage: relet COMMAND [OPTIONS] [ARGUMENTS]"
ABOUT = "A DHCPv4 server, client and laboratory whose heart is the reallocation of a lease (RFC 2131 s3.2)."
OPTIONS = (
    "Options:",
    "  --version   Say which version.",
    "  -h, --help  Tell this; 'relet COMMAND --help' tells what a command takes.",
)
COLUMN = 10
"""Width of the commands' names in the help."""


class Command:
    """A row of `relet --help`. target: 'module:function'.

    The function has typer's annotations; or, if plain, takes the arguments as they were written and gives the exit code.
    """

    def __init__(self, name: str, target: str, summary: str, plain: bool = False) -> None:
        self.name = name
        self.target = target
        self.summary = summary
        self.plain = plain


COMMANDS = (
    Command(
        "serve", "relet.cli.serve:serve", "Serve leases on the links of a configuration file, or on one interface."
    ),
    Command("client", "relet.cli.client:client", "Get, keep and use a lease on an interface.", plain=True),
    Command("leases", "relet.cli.leases:leases", "List the leases that a server has granted."),
    Command("history", "relet.cli.history:history", "Tell who had which address when."),
    Command("why", "relet.cli.why:why", "Explain a server's last answers to a client, and its silence."),
    Command(
        "status",
        "relet.cli.status:status",
        "Show what runs here: a client's lease and last exchange, a server's verdicts.",
    ),
    Command("renew", "relet.cli.renew:renew", "Have the client on an interface extend its lease now."),
    Command("release", "relet.cli.renew:release", "Have the client on an interface give its lease back."),
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
        sys.exit(run(sys.argv[1:]))
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


def run(arguments: Sequence[str]) -> int:
    """Do what is written behind `relet`, and give the exit code; a command may also end by SystemExit."""
    called = arguments[0] if arguments else ""
    for command in COMMANDS:
        if command.name == called:
            return _run(command, arguments[1:])
    if called == "--version":
        print(f"relet {__version__}")
        return GOOD
    if called in ("-h", "--help"):
        print(_help())
        return GOOD
    if not called:
        print(_help(), file=sys.stderr)
    else:
        what = "option" if called.startswith("-") else "command"
        print(f"{USAGE}\n\nError: there is no {what} {called!r}; 'relet --help' tells what there is.", file=sys.stderr)
    return WRONG_USE


def _run(command: Command, arguments: Sequence[str]) -> int:
    if command.plain:
        code: int = _load_quickly(command.target)(arguments)
        return code
    function = _load(command.target)
    import_module("relet.cli.typed").run(command.name, function, arguments)
    return GOOD


def _help() -> str:
    commands = [f"  {command.name:<{COLUMN}}{command.summary}" for command in COMMANDS]
    return "\n".join([USAGE, "", ABOUT, "", *OPTIONS, "", "Commands:", *commands])


def _load_quickly(target: str) -> FunctionType:
    """What is loaded stays, so to look for garbage in it is a tenth of the time for nothing, then and later."""
    gc.disable()
    import_module("relet.cli.lean")
    function = _load(target)
    gc.freeze()
    gc.enable()
    return function


def _load(target: str) -> FunctionType:
    module, _, name = target.partition(":")
    function: FunctionType = getattr(import_module(module), name)
    return function


def _end(message: str, code: int) -> None:
    print(message, file=sys.stderr)
    sys.exit(code)
