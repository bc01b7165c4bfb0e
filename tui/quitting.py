"""Quitting while actions still run: a person decides what becomes of them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opsdash.tui.app import OpsdashApp

_LOOK_S = 0.1


def quit_or_ask(app: "OpsdashApp") -> None:
    """Quit; where actions run, ask first: wait for them, abort them, or leave them."""
    running = [run for run in app.watch_over.gateway.runs if not run.is_done]
    if not running:
        app.exit(0)
        return
    from opsdash.tui.screens.menus import QuitDialog  # like all dialogs: not needed for the first paint

    async def decided(choice: str | None) -> None:
        if choice == "wait":
            app.notice("quits when the actions are done")
            app.run_worker(_quit_when_done(app), exit_on_error=False)
        elif choice == "abort":
            for run in running:
                run.abort()
            app.exit(0)
        elif choice == "leave":
            app.exit(0)

    titles = [run.planned.plan.title for run in running]
    app.push_screen(QuitDialog(app.watch_over.clock, titles), decided)


async def _quit_when_done(app: "OpsdashApp") -> None:
    while any(not run.is_done for run in app.watch_over.gateway.runs):
        await app.watch_over.clock.sleep(_LOOK_S)
    app.exit(0)
