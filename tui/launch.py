"""Starts the screen and ends it: whatever happens, sockets are shut and nothing is waited for."""

import asyncio
from collections.abc import Sequence

import msgspec

from opsdash.collectors.clock import Clock
from opsdash.collectors.target import Target
from opsdash.tui.actions.audit import AuditLog
from opsdash.tui.actions.perform import Gateway
from opsdash.tui.app import OpsdashApp
from opsdash.tui.config import AuditSettings
from opsdash.tui.screen_settings import ScreenSettings
from opsdash.tui.watch import Watch


def run_screen(
    targets: Sequence[Target],
    *,
    audit: AuditSettings,
    permitted: bool,
    read_only: bool,
    mouse: bool,
    settings: ScreenSettings,
    notes: Sequence[str] = (),
) -> int:
    """Run the app until it is quit.

    Args:
        targets: What is watched.
        audit: Where actions are recorded.
        permitted: Whether arming is possible (`--allow-actions`).
        read_only: Makes it impossible, and wins.
        mouse: Whether the terminal's mouse is taken over; a shared tmux loses its own selection by that.
        settings: How the screen is to be.
        notes: What discovery found and skipped.

    Returns:
        The exit status.

    Raises:
        ConfigError: Keys are stated that are not there, are no keys or are taken.
    """
    if settings.keys:  # checking them imports every screen
        from opsdash.tui.key_remapping import checked_keys

        keys = checked_keys(settings.keys, OpsdashApp.BINDINGS, settings.file)
        settings = msgspec.structs.replace(settings, keys=keys)
    clock = Clock()
    log = AuditLog(audit.path, clock=clock, also_syslog=audit.also == "syslog")
    gateway = Gateway(targets, log, clock=clock, permitted=permitted, read_only=read_only)
    app = OpsdashApp(Watch(targets, gateway, clock, notes=notes), settings)
    return asyncio.run(_run(app, mouse))


async def _run(app: OpsdashApp, mouse: bool) -> int:
    try:
        code = await app.run_async(mouse=mouse)
    finally:
        await app.watch_over.stop()
        await app.watch_over.gateway.close()
    return code if code is not None else app.return_code or 0
