"""Answers health checks until ended: `endpoints.py PORT COUNT DEGRADED`, the last of COUNT being degraded."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable

from opsdash.tui.demo.web import Answer, serve


def _health(status: str) -> Callable[[], Awaitable[Answer]]:
    checks = {"database": {"status": status, "latency_ms": 1.2}, "cache": "ok", "queue": {"status": "ok"}}
    body = json.dumps({"status": status, "checks": checks}).encode()

    async def answer() -> Answer:
        return Answer(body=body)

    return answer


async def _answer(port: int, count: int, degraded: int) -> None:
    routes = {f"/{n}": _health("degraded" if n >= count - degraded else "ok") for n in range(count)}
    await serve(routes, port)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_answer(*map(int, sys.argv[1:])))
