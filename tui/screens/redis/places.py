"""Which screen a drill-down into a Redis target leads to."""

import msgspec

from opsdash.collectors.redis.identities import ClientIdentity
from opsdash.collectors.target import TargetId
from opsdash.tui.screens.place import Place
from opsdash.tui.screens.redis.client import RedisClientScreen
from opsdash.tui.screens.redis.server import VIEWS, RedisScreen
from opsdash.tui.watch import Watch


def open_place(watch: Watch, target: TargetId, place: str, identity: msgspec.Struct | None) -> Place:
    """The screen of `place`; an unknown or empty one is that of the figures."""
    if place == "client" and isinstance(identity, ClientIdentity):
        return RedisClientScreen(watch, target, identity)
    return RedisScreen(watch, target, place if place in VIEWS else "figures")
