"""From "the feed changed" to one message on the screen's side.

Many readings may come in one turn of the event loop, or soon after another; they are told as one change.
The message carries nothing: whoever hears it looks at the feed, so an old reading can never overtake a new
one.
"""

from textual.message import Message
from textual.message_pump import MessagePump

from opsdash.collectors.clock import Clock
from opsdash.collectors.feed import Feed
from opsdash.collectors.target import TargetId

PAUSE_S = 0.25
"""At least so long between two of them: with 70 targets every reading would draw all of them anew, 12 times
a second. A reading that comes after a pause is told at once."""
SLOW_PAUSE_S = 2.0
"""The same over a slow link."""


class FeedChanged(Message):
    """Readings came in since the last one of these."""


class Bridge:
    """Posts one `FeedChanged` at a time to `receiver`."""

    def __init__(self, feed: Feed, receiver: MessagePump, clock: Clock, *, pause_s: float = PAUSE_S) -> None:
        self._receiver = receiver
        self._clock = clock
        self._is_told = False
        self._pause_s = pause_s
        self._heard_mono_s = -pause_s
        feed.on_change(self._changed)

    def _changed(self, target: TargetId) -> None:
        if not self._is_told:
            self._is_told = True
            wait_s = self._heard_mono_s + self._pause_s - self._clock.mono_s()
            if wait_s > 0:
                self._receiver.set_timer(wait_s, self._tell)
            else:
                self._tell()

    def _tell(self) -> None:
        self._receiver.post_message(FeedChanged())

    def heard(self) -> None:
        """The receiver has begun to look: a reading from here on is told anew."""
        self._is_told = False
        self._heard_mono_s = self._clock.mono_s()
