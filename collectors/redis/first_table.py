"""The `[[redis]]` table that `opsdash init` writes for a server that REDIS_URL names."""

import re
from collections.abc import Mapping

from opsdash.collectors.first_table import Entry, FirstTable, password_entries, password_to_do
from opsdash.collectors.redis.address import parse
from opsdash.collectors.redis.settings import RedisSettings

_ACCOUNT = re.compile(r"^(\w+://)([^/?#]*)@")


def first_table(name: str, settings: RedisSettings, environ: Mapping[str, str]) -> FirstTable:
    """The table of one discovered server.

    Args:
        name: What the target will be called.
        settings: What discovery found.
        environ: Not looked at: no other variable is in common use.
    """
    address = parse(settings.url)
    was_inline = address.password is not None
    entries = [
        Entry(
            key="url",
            value=without_password(settings.url) if was_inline else settings.url,
            comment="rediss:// for TLS; no password in here",
        ),
        *password_entries(name, variable=None, was_inline=was_inline),
        Entry(
            key="act_username",
            value="opsdash_act",
            comment="a second ACL user, for actions only",
            is_active=False,
        ),
    ]
    if address.has_tls:
        entries.append(
            Entry(
                key="ca_file",
                value="/etc/ssl/certs/our-ca.pem",
                comment="certificates to trust instead of the system's",
                is_active=False,
            )
        )
    return FirstTable(
        entries=tuple(entries), to_do=(password_to_do(name, "REDIS_URL"),) if was_inline else ()
    )


def without_password(url: str) -> str:
    """`url` with its user but without its password.

    >>> without_password("redis://me:hunter2@cache/1"), without_password("rediss://:hunter2@cache")
    ('redis://me@cache/1', 'rediss://cache')
    """

    def account(found: re.Match[str]) -> str:
        user = found[2].partition(":")[0]
        return f"{found[1]}{user}@" if user else found[1]

    return _ACCOUNT.sub(account, url)
