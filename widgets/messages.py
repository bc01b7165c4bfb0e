"""What panels and tables say to whoever contains them."""

from collections.abc import Sequence

import msgspec
from textual.message import Message

from opsdash.collectors.target import TargetId


class DrillDown(Message):
    """A person wants to go into something."""

    def __init__(self, target: TargetId, place: str, identity: msgspec.Struct | None = None) -> None:
        self.target = target
        self.place = place
        self.identity = identity
        super().__init__()


class ActionRequested(Message):
    """A person wants to act; nothing happens but that a plan is made and shown."""

    def __init__(
        self,
        action: str,
        target: TargetId,
        identities: Sequence[msgspec.Struct],
        *,
        is_answered: bool = False,
        about: str = "",
    ) -> None:
        """Make a request.

        Args:
            action: Its name in the registry.
            target: Where.
            identities: On what.
            is_answered: Whether what the action asks for is in the identities.
            about: What people call the first of them; empty: what its own text says.
        """
        self.action = action
        self.target = target
        self.identities = tuple(identities)
        self.is_answered = is_answered
        self.about = about
        super().__init__()
