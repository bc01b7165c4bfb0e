"""The demo's shop: a small service that needs a PostgreSQL and two Valkeys, and says how it fares.

Its writes go through a pool of three sessions. When the row that everybody orders is held by somebody else,
all three wait for it, and whoever else needs one waits for them: this is how a forgotten transaction in the
database becomes a slow health check.
"""

import asyncio
import json
import random
from collections.abc import Awaitable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec
import psycopg
from redis.asyncio import Redis
from redis.exceptions import RedisError

from opsdash.tui.demo.clients import QUIET_SKUS, Connect, say
from opsdash.tui.demo.pool import Pool
from opsdash.tui.demo.stories import API
from opsdash.tui.demo.web import Answer

_POOL_SIZE = 3
_CUSTOMERS = 8
"""More than the pool has sessions: while the row is held, there is a queue for the pool as well."""

_LOCK_TIMEOUT_MS = 1000
_CUSTOMER_PAUSE_S = 0.3
_VISITOR_PAUSE_S = 0.1
_ON_A_PAGE = 8
_CACHED_S = 120

_CHECK_S = 2.5
"""When a check gives up."""
_SLOW_MS = 250.0


class Check(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one dependency fares, as /health tells it."""

    status: str
    """ok, degraded or down."""
    latency_ms: float
    error: str | None = None
