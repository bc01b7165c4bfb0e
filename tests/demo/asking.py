"""Asks the demo's shop and its Valkeys from outside, where opsdash is told to look for them."""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import redis

from opsdash.collectors.http.settings import HttpSettings
from opsdash.collectors.redis.settings import RedisSettings
from opsdash.tui.demo.run import Demo

_ANSWER_S = 30.0
"""Usual is 5 s at most, when the shop waits for its database."""


def endpoint(demo: Demo, name: str) -> HttpSettings:
    (found,) = (target.settings for target in demo.targets if target.name == name)
    assert isinstance(found, HttpSettings)
    return found


def valkey(demo: Demo, name: str) -> "redis.Redis":
    (found,) = (target.settings for target in demo.targets if target.name == name)
    assert isinstance(found, RedisSettings)
    return redis.Redis.from_url(found.url, decode_responses=True)


def request(port: int, path: str, method: str = "GET") -> tuple[int, bytes]:
    """Status and body of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_ANSWER_S)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


class Shop:
    """The shop's interface, as a load balancer asks it."""

    def __init__(self, demo: Demo) -> None:
        port = urlsplit(endpoint(demo, "api /health").url).port
        assert port is not None
        self.port = port

    def health(self) -> dict[str, Any]:
        """The body of /health."""
        status, body = request(self.port, "/health")
        said: dict[str, Any] = json.loads(body)
        assert status == (503 if said["status"] == "down" else 200)
        return said

    def check(self, name: str) -> dict[str, Any]:
        """What /health says of one dependency."""
        found: dict[str, Any] = self.health()["checks"][name]
        return found
