"""What the terminal is told when something new is critical: people look at another window by then."""

import os
from collections.abc import Mapping, Sequence
from typing import Literal

from opsdash.collectors.clock import Clock
from opsdash.collectors.finding import Finding, Severity
from opsdash.collectors.secret import redact
from opsdash.collectors.text import one_line

QUIET_S = 10.0
"""What is found in the first moments is no news: whoever starts opsdash looks at it."""
_CUT = 200


class Alarm:
    """Remembers which critical findings were there."""

    def __init__(
        self, notice: Literal["none", "bell", "osc9"], clock: Clock, environ: Mapping[str, str] = os.environ
    ) -> None:
        self._notice = notice
        self._clock = clock
        self._in_tmux = bool(environ.get("TMUX"))
        self._quiet_until_mono_s = clock.mono_s() + QUIET_S
        self._known: frozenset[object] = frozenset()

    def said(self, findings: Sequence[Finding]) -> str:
        """What to write to the terminal now: a bell, or a notice of the worst that is new; mostly nothing."""
        if self._notice == "none":
            return ""
        critical = [finding for finding in findings if finding.severity is Severity.CRIT]
        new = [finding for finding in critical if finding.key not in self._known]
        self._known = frozenset(finding.key for finding in critical)
        if not new or self._clock.mono_s() < self._quiet_until_mono_s:
            return ""
        return "\a" if self._notice == "bell" else notice(new, in_tmux=self._in_tmux)


def notice(findings: Sequence[Finding], *, in_tmux: bool) -> str:
    r"""An OSC 9 notice; tmux lets it pass only when wrapped, and with allow-passthrough on."""
    worst = findings[0]
    more = f" (+{len(findings) - 1})" if len(findings) > 1 else ""
    text = one_line(redact(f"opsdash: {worst.target.name} {worst.title}"))[:_CUT] + more
    sequence = f"\x1b]9;{text}\a"
    return f"\x1bPtmux;{sequence.replace(chr(27), chr(27) * 2)}\x1b\\" if in_tmux else sequence
