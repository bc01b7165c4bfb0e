"""`opsdash doctor` for one Redis or Valkey: tries each command that opsdash reads with, and acts never."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from opsdash.collectors.diagnosis import Check, Diagnosis, Fix, advice, missing, ok
from opsdash.collectors.errors import (
    AuthenticationFailed,
    NotSupported,
    PermissionDenied,
    StartingUp,
    TargetError,
)
from opsdash.collectors.redis import info
from opsdash.collectors.redis.address import Address, parse
from opsdash.collectors.redis.client import connect
from opsdash.collectors.redis.commands import ACTS, READS, Words, acl_name, acl_rule
from opsdash.collectors.redis.login import Purpose
from opsdash.collectors.redis.settings import RedisSettings
from opsdash.collectors.target import Target

PROBES: tuple[Words, ...] = (
    ("INFO", "all"),
    ("CLIENT", "ID"),
    ("CLIENT", "LIST", "ID", 0),
    ("CLIENT", "SETNAME", "opsdash"),
    ("CLIENT", "NO-EVICT", "on"),
    ("CLIENT", "NO-TOUCH", "on"),
    ("SLOWLOG", "GET", 1),
    ("LATENCY", "LATEST"),
    ("MEMORY", "DOCTOR"),
    ("CLUSTER", "INFO"),
    ("DBSIZE",),
    ("SCAN", 0, "COUNT", 1),
    ("PTTL", "opsdash:doctor"),
)
"""One harmless use of each command of `READS`, at no cost worth a word; SELECT was sent at the login."""

_OLDEST = (6, 0)
"""The rule for it is understood by every server that has ACLs."""
_OPTIONAL = frozenset({"client|no-evict", "client|no-touch"})
"""What older servers do not have, and nothing is lost without."""
_WHERE = "in redis-cli, as an administrator; then ACL SAVE or CONFIG REWRITE, so that it outlives a restart"
_CHOOSE = "with a password in place of CHOOSE-A-PASSWORD"


async def diagnose(target: Target) -> Diagnosis:
    """Look at what works and what is missing; at most one connection at a time.

    Raises:
        TargetError: It broke off, or is no Redis.
    """
    settings = target.settings
    assert isinstance(settings, RedisSettings)
    address = parse(settings.url)
    try:
        replies = await _ask(target, Purpose.READ)
    except TargetError as error:
        return Diagnosis(failure=error.failure(), checks=tuple(_login(error, address)))
    told = info.parse(str(replies["info"]) if isinstance(replies["info"], str) else "")
    loading = [reply for reply in replies.values() if isinstance(reply, StartingUp)]
    if loading:
        return Diagnosis(failure=loading[0].failure())
    user = address.username or "default"
    if info.mode(told) == "sentinel":  # it has neither keys nor actions
        return Diagnosis(checks=(*_reading(replies, user), *_transport(address)), summary="Sentinel")
    checks = (
        *_reading(replies, user),
        *_unknown(replies),
        *_transport(address),
        *await _acting(target, settings, user, _version(told)),
        *_own_user(user, _version(told)),
        *_password(settings),
    )
    return Diagnosis(checks=checks, summary=" ".join(info.product(told)) if told else None)


async def _ask(target: Target, purpose: Purpose) -> Mapping[str, Any]:
    """The reply to each probe by the command's name; one that was refused is a TargetError."""
    session = await connect(target, purpose)
    try:
        replies = await session.ask(*PROBES)
    finally:
        session.close()
    return dict(zip(map(acl_name, PROBES), replies, strict=True))


def _login(error: TargetError, address: Address) -> Iterator[Check]:
    """What is to be done about a refused login; nothing where the reason does not say it."""
    user = address.username
    if isinstance(error, AuthenticationFailed) and user is not None and "password_" not in error.reason:
        yield missing(
            "login",
            f"user {user} is unknown, is off, or has another password",
            Fix(where=f"{_WHERE}, {_CHOOSE}", lines=(acl_rule(user, version=_OLDEST),)),
        )


def _reading(replies: Mapping[str, Any], user: str) -> Iterator[Check]:
    refused = sorted(name for name, reply in replies.items() if isinstance(reply, PermissionDenied))
    if refused:
        what_for = "; ".join(f"{_spoken(name)} ({READS[name]})" for name in refused)
        yield missing(
            "reading",
            f"user {user} may not send {what_for}",
            Fix(where=_WHERE, lines=(f"ACL SETUSER {user} {_grants(refused)}",)),
        )
    else:
        yield ok("reading", f"user {user} may send every command that opsdash reads with")


def _unknown(replies: Mapping[str, Any]) -> Iterator[Check]:
    unknown = sorted(n for n, r in replies.items() if isinstance(r, NotSupported) and n not in _OPTIONAL)
    if unknown:
        yield advice(
            "server", f"this server has no {', '.join(map(_spoken, unknown))}: what they say is unknown"
        )


def _grants(refused: Sequence[str]) -> str:
    """The rules that permit what was refused. PTTL is of a key, so its keys may be what was refused.

    >>> _grants(["dbsize", "pttl"])
    '+dbsize +pttl ~*'
    """
    return " ".join([*(f"+{name}" for name in refused), *(["~*"] if "pttl" in refused else [])])


async def _acting(
    target: Target, settings: RedisSettings, user: str, version: tuple[int, ...]
) -> tuple[Check, ...]:
    if target.environment.actions == "deny":
        return (ok("acting", 'the configuration says actions = "deny": no user is needed'),)
    actor = settings.act_username or "opsdash_act"
    rule = Fix(where=f"{_WHERE}, {_CHOOSE}", lines=(acl_rule(actor, version=version, may_act=True),))
    commands = ", ".join(map(_spoken, ACTS))
    if settings.act_username is None:
        said = f"actions ({commands}) are sent by user {user}; whether it may cannot be tried without acting"
        return (advice("acting", f"{said}; one of its own, named in act_username, keeps them apart", rule),)
    try:
        replies = await _ask(target, Purpose.ACT)
    except TargetError as error:
        return (missing("acting", f"the user of act_username does not get in: {error.reason}", rule),)
    refused = sorted(name for name, reply in replies.items() if isinstance(reply, PermissionDenied))
    if refused:
        said = f"user {actor} may not send {', '.join(map(_spoken, refused))}, which plans read with"
        line = f"ACL SETUSER {actor} {_grants(refused)}"
        return (missing("acting", said, Fix(where=_WHERE, lines=(line,))),)
    return (
        ok(
            "acting",
            f"user {actor} logs in and may read; whether it may send {commands} "
            "cannot be tried without acting",
        ),
    )


def _own_user(user: str, version: tuple[int, ...]) -> Iterator[Check]:
    if user == "default" and version >= (6, 0):
        yield advice(
            "user",
            "logs in as default, whom everybody shares; one of its own may do only what opsdash sends",
            Fix(where=f"{_WHERE}, {_CHOOSE}", lines=(acl_rule(version=version),)),
        )


def _transport(address: Address) -> Iterator[Check]:
    if address.has_tls:
        yield ok("TLS", "encrypted, and the server's certificate and name are verified")
    elif address.path is None and address.host not in ("localhost", "127.0.0.1", "::1"):
        yield advice(
            "TLS", "not encrypted: password and data cross the network in the clear; rediss:// is TLS"
        )


def _password(settings: RedisSettings) -> Iterator[Check]:
    if settings.inline_secrets():
        yield advice(
            "password",
            "url itself holds the password: password_env, password_file or password_command "
            "would only say where it is",
        )


def _version(told: Mapping[str, str]) -> tuple[int, ...]:
    """Of the protocol that it speaks, major and minor; the newest known where it does not say."""
    words = told.get("redis_version", "").split(".")[:2]
    return tuple(map(int, words)) if all(word.isdecimal() for word in words) else (7, 2)


def _spoken(name: str) -> str:
    """A command as people write it.

    >>> _spoken("client|list")
    'CLIENT LIST'
    """
    return name.replace("|", " ").upper()
