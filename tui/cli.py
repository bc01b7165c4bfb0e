"""The command line. Nothing heavy is imported before the command that needs it is known."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from typing import TYPE_CHECKING, NoReturn

from opsdash import __version__
from opsdash.tui.terminal import prepare, takes_mouse, why_no_screen

if TYPE_CHECKING:
    from pathlib import Path

    from opsdash.collectors.target import Target
    from opsdash.tui.config import AuditSettings, Config
    from opsdash.tui.screen_settings import ScreenSettings

USAGE, UNKNOWN, INTERRUPTED = 2, 3, 130
"""Exit codes: a wrong command line or configuration; nothing to look at; Ctrl-C.

For `check` 2 means critical, so there a wrong command line is 3, unknown.
"""

_DESCRIPTION = "One live, safe terminal screen for operations: symptom, cause, guarded fix, proof."
_EPILOG = (
    "Targets come from the configuration (--config, $OPSDASH_CONFIG, ~/.config/opsdash/opsdash.toml) or, "
    "without one, from DATABASE_URL and PGHOST, PGSERVICE and the like. No server at hand: opsdash demo"
)


class _WrongUsage(Exception):
    """The command line is wrong."""


class _Parser(argparse.ArgumentParser):
    """Raises instead of leaving with 2, which would mean critical for `check`."""

    def error(self, message: str) -> NoReturn:
        raise _WrongUsage(f"{message}\n{self.format_usage().rstrip()}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run opsdash.

    Args:
        argv: Without the program's name; None: the process's own.

    Returns:
        The exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # where the encoding has no glyph it becomes ?, and the word beside it says the same
            stream.reconfigure(errors="replace")
    arguments = sys.argv[1:] if argv is None else list(argv)
    failed = UNKNOWN if "check" in arguments else USAGE
    try:
        options = _parser().parse_args(arguments)
    except _WrongUsage as error:
        return _complain(str(error), failed)
    try:
        return _run(options, failed)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has left, as `head` does
        # what is still buffered goes nowhere, or Python would complain about it at the exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return failed


def _run(options: argparse.Namespace, failed: int) -> int:
    import logging

    from opsdash.collectors.errors import OpsdashError
    from opsdash.collectors.secret import redact
    from opsdash.collectors.text import one_line
    from opsdash.tui.logfile import log_to

    log_to(_log_path())
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except OpsdashError as error:
        return _complain(str(error), failed)
    except BrokenPipeError:
        raise
    except Exception as error:  # Python would end with 1 then, which for `check` is a mere warning
        logging.getLogger(__name__).exception("%s", options)
        reason = redact(one_line(f"{type(error).__name__}: {error}"))
        return _complain(f"error in opsdash: {reason}; its log has more: {_log_path()}", failed)


def _complain(text: str, code: int) -> int:
    sys.stderr.write(f"opsdash: {text}\n")
    return code


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="opsdash", description=_DESCRIPTION, epilog=_EPILOG)
    parser.add_argument("--version", action="version", version=f"opsdash {__version__}")
    parser.set_defaults(command=_screen, config=None, read_only=False, mouse=False, slow_link=False)
    _add_config(parser)
    parser.add_argument(
        "--allow-actions", action="store_true", help="permit arming with A; nothing is armed at the start"
    )
    _add_screen(parser)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    demo = commands.add_parser("demo", help="a live incident on real servers of its own")
    demo.add_argument("--story", metavar="NAME", help="one-root (the usual one) or two-roots")
    _add_screen(demo)
    demo.set_defaults(command=_demo)
    check = commands.add_parser(
        "check", help="read every target once: exit 0 ok, 1 warning, 2 critical, 3 unknown"
    )
    check.add_argument("--json", action="store_true", help="one JSON document")
    _add_config(check)
    check.set_defaults(command=_check)
    _add_doctor(commands)
    _add_init(commands)
    _add_audit(commands)
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


def _add_doctor(commands: "argparse._SubParsersAction[_Parser]") -> None:
    doctor = commands.add_parser(
        "doctor", help="what works, what is missing and what to run: exit 0 well, 1 missing, 3 not reached"
    )
    doctor.add_argument("--json", action="store_true", help="one JSON document")
    _add_config(doctor)
    doctor.set_defaults(command=_doctor)


def _add_init(commands: "argparse._SubParsersAction[_Parser]") -> None:
    init = commands.add_parser("init", help="write a first configuration from what the environment names")
    init.add_argument("--print", action="store_true", dest="only_print", help="print it, write nothing")
    _add_config(init)
    init.set_defaults(command=_init)


def _add_audit(commands: "argparse._SubParsersAction[_Parser]") -> None:
    audit = commands.add_parser("audit", help="the record of actions")
    kinds = audit.add_subparsers(title="commands", metavar="COMMAND", required=True)
    show = kinds.add_parser("show", help="the last records")
    _add_config(show)
    show.add_argument("--last", type=int, default=20, metavar="N", help="how many (20)")
    show.add_argument("--json", action="store_true", help="as they stand in the file")
    show.set_defaults(command=_audit_show)
    verify = kinds.add_parser("verify", help="find changed, inserted and removed records")
    _add_config(verify)
    verify.set_defaults(command=_audit_verify)


def _config(options: argparse.Namespace) -> "Config":
    from opsdash.tui.config import load_config

    return load_config(options.config, os.environ)


def _screen(options: argparse.Namespace) -> int:
    refused = _refuse_screen()
    if refused is not None:
        return refused
    config = _config(options)
    if not config.targets:
        return _no_targets(config)
    return _show(
        config.targets,
        config.audit,
        config.screen,
        options,
        permitted=options.allow_actions and not options.read_only,
        notes=config.notes,
    )


def _demo(options: argparse.Namespace) -> int:
    refused = _refuse_screen()
    if refused is not None:
        return refused
    from opsdash.tui.config import AuditSettings, default_audit_path
    from opsdash.tui.demo.run import start_demo
    from opsdash.tui.demo.stories import DEFAULT_STORY
    from opsdash.tui.screen_settings import ScreenSettings

    audit = AuditSettings(path=default_audit_path(os.environ))
    with start_demo(options.story or DEFAULT_STORY, lambda phase: _say(f"demo: {phase}")) as demo:
        notes = demo.describe()
        return _show(
            demo.targets, audit, ScreenSettings(), options, permitted=not options.read_only, notes=notes
        )


def _show(
    targets: "tuple[Target, ...]",
    audit: "AuditSettings",
    screen: "ScreenSettings",
    options: argparse.Namespace,
    *,
    permitted: bool,
    notes: tuple[str, ...],
) -> int:
    """Run the screen. Textual is imported here, after its settings are made."""
    prepare(os.environ, is_slow=options.slow_link)
    import gc

    import msgspec

    gc.disable()  # looking for garbage among modules that stay is a tenth of the start; the app turns it on
    from opsdash.tui.launch import run_screen

    return run_screen(
        targets,
        audit=audit,
        permitted=permitted,
        read_only=options.read_only,
        mouse=options.mouse or takes_mouse(os.environ),
        settings=msgspec.structs.replace(screen, is_slow=options.slow_link),
        notes=notes,
    )


def _check(options: argparse.Namespace) -> int:
    from opsdash.collectors.clock import Clock
    from opsdash.tui.check import run_check

    config = _config(options)
    if not config.targets:
        return _no_targets(config)
    return run_check(config.targets, as_json=options.json, clock=Clock())


def _doctor(options: argparse.Namespace) -> int:
    from opsdash.collectors.clock import Clock
    from opsdash.tui.doctor import run_doctor

    return run_doctor(_config(options), as_json=options.json, clock=Clock())


def _init(options: argparse.Namespace) -> int:
    from opsdash.tui.init import run_init

    return run_init(options.config, os.environ, only_print=options.only_print)


def _audit_show(options: argparse.Namespace) -> int:
    from opsdash.tui.audit_command import show

    return show(_config(options).audit.path, options.last, options.json)


def _audit_verify(options: argparse.Namespace) -> int:
    from opsdash.tui.audit_command import verify_command

    return verify_command(_config(options).audit.path)


def _log_path() -> "Path":
    from opsdash.tui.config import state_folder

    return state_folder(os.environ) / "opsdash.log"


def _refuse_screen() -> int | None:
    """Say why there can be no screen; None when there can."""
    streams = {"standard input": sys.stdin, "standard output": sys.stdout, "standard error": sys.stderr}
    reason = why_no_screen(os.environ, streams)
    if reason is None:
        return None
    return _complain(f"{reason}; `opsdash check` prints the same findings as text", USAGE)


def _no_targets(config: "Config") -> int:
    from opsdash.tui.config import default_path

    where = config.file or default_path(os.environ)
    lines = [
        "nothing to watch.",
        f"  looked for [[postgres]] in {where}{'' if config.file else ' (no such file)'}",
        f"  and for {', '.join(config.looked_for)} in the environment",
        *(f"  {note}" for note in config.notes),
        "name a server:  DATABASE_URL=postgresql://user@host/database opsdash",
        "or try it out:  opsdash demo",
    ]
    return _complain("\n".join(lines), UNKNOWN)


def _say(text: str) -> None:
    sys.stderr.write(f"opsdash {text}\n")
