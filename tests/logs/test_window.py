"""The window on a timeline whose sources change."""

from opsdash.collectors.lines.merge import Timeline, WholeLane
from opsdash.widgets.log_window import LogWindow
from tests.support.log_lines import at, opened, source


def test_place_in_the_lines_is_known_as_soon_as_a_source_joins_or_leaves() -> None:
    api, web = opened(
        source("api", [at(second, f"api {second}") for second in range(50)]),
        source("web", [at(second, f"web {second}") for second in range(50)]),
    )
    window = LogWindow(Timeline([WholeLane(api)]))
    window.arrange(10, lambda line: 1)
    window.go_first()
    window.arrange(10, lambda line: 1)
    window.page(1)
    window.arrange(10, lambda line: 1)
    assert window.lines_above == 10
    window.replace(Timeline([WholeLane(api), WholeLane(web)]))  # asked for before the next frame
    assert window.lines_above >= 10
    window.replace(Timeline([WholeLane(web)]))
    assert window.lines_above <= 50
    window.arrange(10, lambda line: 1)
    assert len(window.shown) == 10
