"""What a test needs of the machine: without it the test is skipped and listed, or fails if required."""

import os
from typing import NoReturn

import pytest

MISSING: dict[str, str] = {}
"""What was missing in this run: its name -> why, and what to install. Printed when the run ends."""


def require(name: str, reason: str) -> NoReturn:
    """Skip the running test for lack of `name`; fail it when OPSDASH_REQUIRE (a comma list) names it.

    Call it where the thing was found to be missing. `reason` says what is missing and how to get it.
    """
    MISSING[name] = reason
    if name in os.environ.get("OPSDASH_REQUIRE", "").replace(" ", "").split(","):
        pytest.fail(f"{name} is required (OPSDASH_REQUIRE), but: {reason}", pytrace=False)
    pytest.skip(f"needs {name}: {reason}")
