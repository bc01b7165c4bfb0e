"""What the command line understands. Which function runs a command is `cli.py`'s."""

import argparse
from typing import NoReturn

from opsdash import __version__

_DESCRIPTION = "One live, safe terminal screen for operations: symptom, cause, guarded fix, proof."
_EPILOG = (
    "Targets come from the configuration (--config, $OPSDASH_CONFIG, ~/.config/opsdash/opsdash.toml) or, "
    "without one, from DATABASE_URL or PGHOST, PGSERVICE and the like, REDIS_URL, DOCKER_HOST or the local "
    "Docker socket. No server at hand: opsdash demo"
)


class WrongUsage(Exception):
    """The command line is wrong."""


class _Parser(argparse.ArgumentParser):
    """Raises instead of leaving with 2, which would mean critical for `check`."""

    def error(self, message: str) -> NoReturn:
        raise WrongUsage(f"{message}\n{self.format_usage().rstrip()}")


def make_parser() -> argparse.ArgumentParser:
    """The parser; `command` of what it gives is the name of the command, "screen" where none is named."""
    parser = _Parser(prog="opsdash", description=_DESCRIPTION, epilog=_EPILOG)
    parser.add_argument("--version", action="version", version=f"opsdash {__version__}")
    parser.set_defaults(command="screen", config=None, read_only=False, mouse=False, slow_link=False)
    _add_config(parser)
    parser.add_argument(
        "--allow-actions", action="store_true", help="permit arming with A; nothing is armed at the start"
    )
    _add_screen(parser)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    demo = commands.add_parser("demo", help="a live incident on real servers of its own")
    demo.add_argument("--story", metavar="NAME", help="one-root (the usual one) or two-roots")
    _add_screen(demo)
    demo.set_defaults(command="demo")
    check = commands.add_parser(
        "check", help="read every target once: exit 0 ok, 1 warning, 2 critical, 3 unknown"
    )
    check.add_argument("--json", action="store_true", help="one JSON document")
    _add_config(check)
    check.set_defaults(command="check")
    _add_snapshot(commands)
    _add_doctor(commands)
    _add_init(commands)
    _add_audit(commands)
    completion = commands.add_parser("completion", help="a script that completes these words in a shell")
    completion.add_argument("shell", choices=["bash", "zsh", "tcsh"])
    completion.set_defaults(command="completion")
    return parser


def _add_config(parser: argparse.ArgumentParser) -> None:
    """`--config`, before or after a command: without a default, so that the one after does not undo it."""
    parser.add_argument("--config", metavar="FILE", default=argparse.SUPPRESS, help="read this configuration")


def _add_screen(parser: argparse.ArgumentParser) -> None:
    """What the commands with a screen understand, before or after the command."""
    parser.add_argument(
        "--read-only",
        action="store_true",
        default=argparse.SUPPRESS,
        help="make arming impossible; wins over all else",
    )
    parser.add_argument(
        "--mouse",
        action="store_true",
        default=argparse.SUPPRESS,
        help="take the mouse, also over SSH and in tmux",
    )
    parser.add_argument(
        "--slow-link",
        action="store_true",
        default=argparse.SUPPRESS,
        help="fewer frames and the terminal's own colours: less than half the bytes",
    )


def _add_snapshot(commands: "argparse._SubParsersAction[_Parser]") -> None:
    snapshot = commands.add_parser(
        "snapshot", help="what is seen now, for a script or a ticket; exit as check"
    )
    form = snapshot.add_mutually_exclusive_group()
    for name, told in (
        ("text", "the overview as lines (the usual one)"),
        ("json", "every value, one document"),
        ("svg", "the overview as a picture"),
    ):
        form.add_argument(f"--{name}", dest="form", action="store_const", const=name, help=told)
    snapshot.add_argument(
        "--size", type=_size, default=(132, 34), metavar="COLUMNSxLINES", help="of the overview (132x34)"
    )
    _add_config(snapshot)
    snapshot.set_defaults(command="snapshot", form="text")


def _size(text: str) -> tuple[int, int]:
    """`132x34` as columns and lines."""
    columns, _, lines = text.partition("x")
    if not (columns.isdigit() and lines.isdigit() and 40 <= int(columns) <= 500 and 10 <= int(lines) <= 500):
        raise argparse.ArgumentTypeError(f"expected 40x10 to 500x500, as in 132x34, got {text!r}")
    return int(columns), int(lines)


def _count(text: str) -> int:
    """How many; 0: all."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 on, got {text!r}")
    return int(text)


def _add_doctor(commands: "argparse._SubParsersAction[_Parser]") -> None:
    doctor = commands.add_parser(
        "doctor", help="what works, what is missing and what to run: exit 0 well, 1 missing, 3 not reached"
    )
    doctor.add_argument("--json", action="store_true", help="one JSON document")
    _add_config(doctor)
    doctor.set_defaults(command="doctor")


def _add_init(commands: "argparse._SubParsersAction[_Parser]") -> None:
    init = commands.add_parser("init", help="write a first configuration from what the environment names")
    init.add_argument("--print", action="store_true", dest="only_print", help="print it, write nothing")
    _add_config(init)
    init.set_defaults(command="init")


def _add_audit(commands: "argparse._SubParsersAction[_Parser]") -> None:
    audit = commands.add_parser("audit", help="the record of actions")
    kinds = audit.add_subparsers(title="commands", metavar="COMMAND", required=True)
    show = kinds.add_parser("show", help="the last records")
    _add_config(show)
    show.add_argument("--last", type=_count, default=20, metavar="N", help="how many (20); 0: all")
    show.add_argument("--json", action="store_true", help="as they stand in the file")
    show.set_defaults(command="audit show")
    verify = kinds.add_parser("verify", help="find changed, inserted and removed records")
    _add_config(verify)
    verify.set_defaults(command="audit verify")
