"""The Redis that REDIS_URL names."""

from collections.abc import Mapping

from opsdash.collectors.discover import Found, Looked, Skipped
from opsdash.collectors.redis.address import parse
from opsdash.collectors.redis.settings import RedisSettings
from opsdash.collectors.text import one_line

_VARIABLE = "REDIS_URL"


def discover(environ: Mapping[str, str]) -> Looked:
    """Look at REDIS_URL.

    >>> looked = discover({"REDIS_URL": "rediss://me:hunter2@cache.internal/1"})
    >>> [(found.name, found.source) for found in looked.found]
    [('cache.internal/1', 'REDIS_URL')]
    >>> [skipped.reason for skipped in discover({"REDIS_URL": "http://cache"}).skipped]
    ['expected redis://host:6379/0, rediss:// for TLS, or unix:///path']
    """
    url = environ.get(_VARIABLE, "").strip()
    if not url:
        return Looked(looked_for=(_VARIABLE,))
    try:
        name = one_line(parse(url).label.replace(":6379", ""))
    except ValueError as error:
        return Looked(looked_for=(_VARIABLE,), skipped=(Skipped(source=_VARIABLE, reason=str(error)),))
    found = Found(name=name, settings=RedisSettings(url=url), source=_VARIABLE)
    return Looked(looked_for=(_VARIABLE,), found=(found,))
