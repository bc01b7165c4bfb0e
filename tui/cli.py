"""The command line. Nothing heavy is imported before the command that needs it is known."""

import argparse
import gc
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from io import TextIOWrapper
from typing import TYPE_CHECKING

from opsdash.tui.arguments import WrongUsage, make_parser
from opsdash.tui.terminal import prepare, takes_mouse, why_no_screen

if TYPE_CHECKING:
    from pathlib import Path

    from opsdash.collectors.target import Target
    from opsdash.tui.config import AuditSettings, Config
    from opsdash.tui.screen_settings import ScreenSettings

USAGE, UNKNOWN, INTERRUPTED = 2, 3, 130
"""Exit codes: a wrong command line or configuration; nothing to look at; Ctrl-C.

For `check` and `snapshot` 2 means critical, so there a wrong command line is 3, unknown.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run opsdash.

    Args:
        argv: Without the program's name; None: the process's own.

    Returns:
        The exit code.
    """
    gc.disable()  # looking for garbage among modules that stay is a tenth of the start; the app turns it on
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # where the encoding has no glyph it becomes ?, and the word beside it says the same
            stream.reconfigure(errors="replace")
    arguments = sys.argv[1:] if argv is None else list(argv)
    failed = UNKNOWN if {"check", "snapshot"} & set(arguments) else USAGE
    try:
        options = make_parser().parse_args(arguments)
    except WrongUsage as error:
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
    try:
        return _COMMANDS[options.command](options)
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
    from opsdash.tui.demo.containers import local_engine
    from opsdash.tui.demo.run import start_demo
    from opsdash.tui.demo.stories import DEFAULT_STORY
    from opsdash.tui.screen_settings import ScreenSettings

    audit = AuditSettings(path=default_audit_path(os.environ))
    screen = _config(options).screen if options.config else ScreenSettings()

    def tell(phase: str) -> None:
        _say(f"demo: {phase}")

    with start_demo(options.story or DEFAULT_STORY, tell, engine=local_engine(os.environ)) as demo:
        notes = demo.describe()
        return _show(demo.targets, audit, screen, options, permitted=not options.read_only, notes=notes)


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
    import msgspec

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


def _snapshot(options: argparse.Namespace) -> int:
    from opsdash.collectors.clock import Clock
    from opsdash.tui.snapshot import run_snapshot

    config = _config(options)
    if not config.targets:
        return _no_targets(config)
    if options.form != "json":
        prepare(os.environ)
    return run_snapshot(
        config.targets,
        form=options.form,
        size=options.size,
        clock=Clock(),
        theme=config.screen.table.theme,
    )


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


def _completion(options: argparse.Namespace) -> int:
    import shtab

    parser = make_parser()
    for action in _actions(parser):
        if action.metavar == "FILE":
            action.complete = shtab.FILE  # type: ignore[attr-defined]  # shtab reads it from there
    sys.stdout.write(shtab.complete(parser, options.shell))
    return 0


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Every option of a parser and of its commands."""
    for action in parser._actions:  # argparse has no public way to its own options
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from _actions(inner)


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
    from opsdash.collectors.registry import KINDS
    from opsdash.tui.config import default_path

    where = config.file or default_path(os.environ)
    there = "" if config.file else " (no such file)"
    lines = [
        "nothing to watch.",
        f"  looked for {', '.join(f'[[{kind}]]' for kind in KINDS)} in {where}{there}",
        f"  and for {', '.join(config.looked_for)} in the environment",
        *(f"  {note}" for note in config.notes),
        "name a server:  DATABASE_URL=postgresql://user@host/database opsdash",
        "or try it out:  opsdash demo",
    ]
    return _complain("\n".join(lines), UNKNOWN)


def _say(text: str) -> None:
    sys.stderr.write(f"opsdash {text}\n")


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "screen": _screen,
    "demo": _demo,
    "check": _check,
    "snapshot": _snapshot,
    "doctor": _doctor,
    "init": _init,
    "audit show": _audit_show,
    "audit verify": _audit_verify,
    "completion": _completion,
}
