"""What Textual is told before it is imported, and when the screen is refused."""

import os
import subprocess
import sys

from opsdash.tui.terminal import prepare

LIMIT_S = 60


def test_textual_takes_the_settings_as_they_are_meant() -> None:
    code = (
        "from opsdash.tui.terminal import prepare; prepare()\n"
        "from textual import constants\n"
        "print(constants.TEXTUAL_ANIMATIONS, constants.SMOOTH_SCROLL)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=True,
    )
    assert ended.stdout == "none False\n"


def test_what_the_user_set_stays() -> None:
    environ = {"TEXTUAL_ANIMATIONS": "full"}
    prepare(environ)
    assert environ == {"TEXTUAL_ANIMATIONS": "full", "TEXTUAL_SMOOTH_SCROLL": "0", "TEXTUAL_FPS": "250"}
