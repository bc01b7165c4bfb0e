"""From "the feed changed" to one message on the screen's side.

Many readings may come in one turn of the event loop; they are told as one change. The message carries
nothing: whoever hears it looks at the feed, so an old reading can never overtake a new one.
"""

from textual.message import Message
from textual.message_pump import MessagePump

from opsdash.collectors.feed import Feed
from opsdash.collectors.target import TargetId


class FeedChanged(Message):
    """Readings came in since the last one of these."""


class Bridge:
    """Posts one `FeedChanged` at a time to `receiver`."""

    def __init__(self, feed: Feed, receiver: MessagePump) -> None:
        self._receiver = receiver
        self._is_told = False
        feed.on_change(self._changed)

    def _changed(self, target: TargetId) -> None:
        if not self._is_told:
            self._is_told = True
            self._receiver.post_message(FeedChanged())

    def heard(self) -> None:
        """The receiver has begun to look: a reading from here on is told anew."""
        self._is_told = False
