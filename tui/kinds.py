"""What the app knows of each kind of target: its area, and where its rules, actions, panel and screens are.

The one place besides `collectors/registry.py` where a new kind is named. References are strings, imported
when they are first needed: nothing in here costs a client library or, headless, a screen.
"""

import msgspec

AREAS = {
    "1": "Health",
    "2": "Database",
    "3": "Cache",
    "4": "Containers",
    "5": "Logs",
    "6": "Cloud",
    "7": "Signals",
    "8": "Incident",
    "9": "Actions",
}
"""Digit -> title. The digits never shift; an area without a target is neither shown nor bound."""


class KindOfTarget(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of target."""

    area: str
    """Digit of its area."""
    rules: str
    """Function (data, target) -> findings of one reading."""
    actions: str | None = None
    """Module with SPECS and make_kit; None: it is only watched."""
    panel: str
    """Function (views, findings, *, mono_s, width, height) -> its lines on the overview."""
    targets: str
    """Function (watch) -> the screen with the list of its targets."""
    place: str
    """Function (watch, target, place, identity) -> the screen that a drill-down leads to."""
    in_view: str | None = None
    """Function (views, findings, *, height) -> by target, ids of the things that its panel draws; for kinds
    whose reads depend on what is looked at."""
    has_logs: bool = False
    """Whether its targets print lines, which the area of logs shows."""
    needs_width: bool = False
    """Whether its panel stands beside no other on the overview."""


KINDS: dict[str, KindOfTarget] = {
    "postgres": KindOfTarget(
        area="2",
        rules="opsdash.tui.findings.postgres:findings",
        actions="opsdash.tui.actions.postgres",
        panel="opsdash.widgets.panels.postgres.overview:overview_lines",
        targets="opsdash.tui.screens.postgres.targets:ServerListScreen",
        place="opsdash.tui.screens.postgres.places:open_place",
    ),
    "redis": KindOfTarget(
        area="3",
        rules="opsdash.tui.findings.redis:findings",
        actions="opsdash.tui.actions.redis",
        panel="opsdash.widgets.panels.redis.overview:overview_lines",
        targets="opsdash.tui.screens.redis.targets:RedisListScreen",
        place="opsdash.tui.screens.redis.places:open_place",
    ),
    "http": KindOfTarget(
        area="1",
        rules="opsdash.tui.findings.http:findings",
        panel="opsdash.widgets.panels.http.overview:overview_lines",
        targets="opsdash.tui.screens.http.targets:EndpointListScreen",
        place="opsdash.tui.screens.http.places:open_place",
    ),
    "host": KindOfTarget(
        area="1",
        rules="opsdash.tui.findings.host:findings",
        panel="opsdash.widgets.panels.host.overview:overview_lines",
        targets="opsdash.tui.screens.host.targets:HostListScreen",
        place="opsdash.tui.screens.host.places:open_place",
    ),
    "docker": KindOfTarget(
        area="4",
        rules="opsdash.tui.findings.docker:findings",
        actions="opsdash.tui.actions.docker",
        panel="opsdash.widgets.panels.docker.overview:overview_lines",
        in_view="opsdash.widgets.panels.docker.overview:containers_in_view",
        targets="opsdash.tui.screens.docker.targets:EngineListScreen",
        place="opsdash.tui.screens.docker.places:open_place",
        has_logs=True,
    ),
    "log": KindOfTarget(
        area="5",
        rules="opsdash.tui.findings.logs:findings",
        panel="opsdash.widgets.panels.log.overview:overview_lines",
        targets="opsdash.tui.screens.logs.places:open_all",
        place="opsdash.tui.screens.logs.places:open_place",
        has_logs=True,
        needs_width=True,
    ),
}
