"""Headers of the configuration, with the secrets that they refer to."""

import asyncio
from collections.abc import Mapping

from opsdash.collectors.errors import AuthenticationFailed
from opsdash.collectors.http.settings import HeaderSource, HttpSettings, is_header_value
from opsdash.collectors.secret import Secret
from opsdash.collectors.secret_source import READING_LIMIT_S, read_secret
from opsdash.collectors.target import TargetId

Headers = Mapping[str, tuple[str, Secret]]
"""Name -> what stands before the secret, and the secret: an echo of it alone must be known as one too."""


async def read_headers(target: TargetId, settings: HttpSettings) -> Headers:
    """The headers to send, read afresh: tokens expire and are rotated.

    Raises:
        AuthenticationFailed: A secret cannot be read, or HTTP does not allow it; the value is not repeated.
    """
    values = await asyncio.gather(*(_value(target, name, value) for name, value in settings.headers.items()))
    return dict(zip(settings.headers, values, strict=True))


async def _value(target: TargetId, name: str, stated: str | HeaderSource) -> tuple[str, Secret]:
    if isinstance(stated, str):
        return "", Secret(stated)
    secret = await read_secret(target, stated.source(name), patience_s=READING_LIMIT_S)
    if not is_header_value(secret.reveal()):
        raise AuthenticationFailed(
            target,
            f"headers.{name}: its value holds characters that HTTP does not allow",
            hint=f"see headers.{name} of this target in the configuration",
        )
    return stated.prefix, secret
