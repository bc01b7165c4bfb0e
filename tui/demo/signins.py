"""Who signs in to the demo's shop: a release forgot that a session must expire, until somebody makes room."""

import asyncio
import logging
import secrets

from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError, RedisError

from opsdash.collectors.format import plural
from opsdash.tui.demo.clients import say
from opsdash.tui.demo.stories import CHECKOUT

_CARTS = 200
"""Keys that must not be purged."""

SESSION = "x" * 400
"""What is stored for each."""

_BATCH, _PAUSE_S = 40, 0.1
"""Almost 400 a second: 8 MiB are full after about 40 s."""

_REFUSED_PAUSE_S = 0.1
_TOLD_EVERY_S = 1.0
_CALM_PAUSE_S, _CALM_EXPIRY_S = 0.2, 60
_RETRY_S = 1.0


async def keep_signing_in(sessions: Redis) -> None:
    """Fill `sessions` until it refuses, and go on asking; after it was emptied, go on slowly, with expiry."""
    for work in (_fill_carts, _fill, _go_on_slowly):
        while True:
            try:
                await work(sessions)
                break
            except RedisError as error:
                say(CHECKOUT, f"cannot sign anybody in: {error}; trying again", logging.ERROR)
                await asyncio.sleep(_RETRY_S)


async def _fill_carts(sessions: Redis) -> None:
    for number in range(_CARTS):
        await sessions.hset(f"cart:{number}", mapping={"sku": f"KX-{1001 + number}", "qty": "1"})


async def _fill(sessions: Redis) -> None:
    """Sign people in without expiry; back when more than half of what was held is gone."""
    held = most = untold = 0
    batch = _BATCH
    now_s = asyncio.get_running_loop().time
    told_s = now_s()
    while held >= most / 2:
        refused = await _sign_in(sessions, batch)
        untold += refused
        if untold and now_s() - told_s >= _TOLD_EVERY_S:
            words = f"{plural(untold, 'sign-in')} refused by sessions: OOM, used memory > 'maxmemory'"
            say(CHECKOUT, words, logging.ERROR)
            untold, told_s = 0, now_s()
        if refused:
            batch = 1  # one by one from now on: a batch's own buffers would make room for others when freed
        held = await sessions.dbsize()
        most = max(most, held)
        await asyncio.sleep(_REFUSED_PAUSE_S if refused else _PAUSE_S)
    say(CHECKOUT, "sessions were purged; the release that lets them expire is out")


async def _go_on_slowly(sessions: Redis) -> None:
    while True:
        await _sign_in(sessions, 1, expiry_s=_CALM_EXPIRY_S)
        await asyncio.sleep(_CALM_PAUSE_S)


async def _sign_in(sessions: Redis, people: int, expiry_s: int | None = None) -> int:
    """Store a session for each; returns for how many it was refused."""
    async with sessions.pipeline(transaction=False) as pipeline:
        for _ in range(people):
            pipeline.set(f"sess:{secrets.token_hex(8)}", SESSION, ex=expiry_s)
        answers = await pipeline.execute(raise_on_error=False)
    return sum(isinstance(answer, OutOfMemoryError) for answer in answers)
