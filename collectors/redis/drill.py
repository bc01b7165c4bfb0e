"""Reads that a person asks for, each on a short-lived connection of its own."""

from opsdash.collectors.errors import TargetError
from opsdash.collectors.redis.beside import SLOWLOG_LENGTH
from opsdash.collectors.redis.client import Purpose, connect
from opsdash.collectors.redis.lists import command_of
from opsdash.collectors.target import Target
from opsdash.collectors.text import one_line


async def slow_arguments(target: Target, entry: int) -> str | None:
    """The arguments of one entry of the slow log, read afresh; never stored.

    Returns:
        None when the entry has left the log.

    Raises:
        TargetError: The target could not be read.
    """
    session = await connect(target, Purpose.READ)
    try:
        (reply,) = await session.ask(("SLOWLOG", "GET", SLOWLOG_LENGTH))
    finally:
        session.close()
    if isinstance(reply, TargetError):
        raise reply
    for found in reply:
        if found[0] == entry:
            names = len(command_of(found[3])[0].split())
            return one_line(" ".join(found[3][names:])) or "none"
    return None
