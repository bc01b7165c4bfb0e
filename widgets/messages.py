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
    ) -> None:
        """Args: the action's name, where, on what, and whether what it asks for is in the identities."""
        self.action = action
        self.target = target
        self.identities = tuple(identities)
        self.is_answered = is_answered
        super().__init__()
