"""What a Redis, its client library or the network says when something fails -> our errors. Pure."""

import os
import re

from opsdash.collectors import errors
from opsdash.collectors.errors import TargetError
from opsdash.collectors.secret import redact
from opsdash.collectors.target import TargetId

_LONGEST = 200
"""Characters of a reason: protected mode answers with a page of advice."""

_CONNECTING = re.compile(r"Error (-?\d+) connecting to (\S+)\. (.*)", re.DOTALL)
"""The library's frame around what the system said."""

_SAYINGS: tuple[tuple[str, type[TargetError], str], ...] = (
    # words of the server, the library or the system; our error; what to do next
    (
        r"max number of clients",
        errors.TooManyClients,
        "raise maxclients or end idle clients over a connection that is open; started with "
        "--allow-actions opsdash keeps one",
    ),
    (
        r"NOAUTH|Authentication required|called without any password configured",
        errors.AuthenticationFailed,
        "set password_env, password_file or password_command of this target, or take it away",
    ),
    (
        r"WRONGPASS|invalid (username-password|password)|user is disabled",
        errors.AuthenticationFailed,
        "check user and password; ACL LIST on the server shows its users",
    ),
    (
        r"protected mode|^DENIED",
        errors.PermissionDenied,
        "it answers its own machine only until it has a password: set one there, or see its bind",
    ),
    (
        r"NOPERM|no permissions?\b|has no permissions",
        errors.PermissionDenied,
        "the ACL user of opsdash may not do this",
    ),
    (r"LOADING|loading the dataset", errors.StartingUp, "wait; it reads its data from disk"),
    (r"MASTERDOWN|Link with MASTER is down", errors.ConnectionLost, "its link to the primary is down"),
    (
        r"READONLY|read only replica",
        errors.ReadOnly,
        "this is a replica: act on its primary",
    ),
    (
        r"MISCONF",
        errors.WritesRefused,
        "its last save failed: see its log and disk; writes are refused until one works",
    ),
    (r"\bOOM\b|used memory > 'maxmemory'", errors.WritesRefused, "it is full: see maxmemory and its policy"),
    (
        r"NOREPLICAS|Not enough good replicas",
        errors.WritesRefused,
        "see its replicas and min-replicas-to-write",
    ),
    (r"CLUSTERDOWN", errors.WritesRefused, "see CLUSTER INFO: slots are not served"),
    (
        r"unknown (sub)?command|Unknown subcommand",
        errors.NotSupported,
        "this server does not offer the command",
    ),
    (
        r"invalid DB index|DB index is out of range",
        errors.NotSupported,
        "check the database's number in the URL",
    ),
    (
        r"CERTIFICATE|certificate|\[SSL|TLS|SSL",
        errors.TlsFailed,
        "check rediss:// against the port, ca_file, server_name and the server's certificate",
    ),
    (
        r"Error (110|113|101|60|65|51) connecting",  # timed out, no route, network unreachable
        errors.TimedOut,
        "check the network and the firewall",
    ),
    (
        r"Connect call failed|Connection refused|No such file or directory|Permission denied",
        errors.ConnectionRefused,
        "check that it runs, its bind, the port and the firewall",
    ),
    (
        r"[Tt]imed? ?out|No route to host|(Network|Host) is unreachable",
        errors.TimedOut,
        "check the network and the firewall",
    ),
    (
        r"closed|reset by peer|Broken pipe|incomplete|EOF|not connected",
        errors.ConnectionLost,
        "a new connection is tried",
    ),
    (r"Protocol Error|Protocol error", errors.BadReply, "is this a Redis server? rediss:// needs a TLS port"),
)


def told(target: TargetId, words: str) -> TargetError:
    """Our error for what was said; the reason stays in these words, without secrets.

    >>> error = told(TargetId("redis", "cache"), "NOAUTH Authentication required.")
    >>> error.kind.value, error.reason
    ('authentication failed', 'NOAUTH Authentication required.')
    """
    reason = _brief(redact(words))
    for pattern, kind, hint in _SAYINGS:
        if re.search(pattern, words):
            return kind(target, reason, hint=hint)
    return errors.BadReply(target, reason, hint="is this a Redis server? See its log")


def _brief(words: str) -> str:
    """In the system's words where it failed to connect; the first sentence of what is long.

    >>> _brief("Error 111 connecting to 10.0.0.1:6379. Connect call failed ('10.0.0.1', 6379).")
    '10.0.0.1:6379: Connection refused'
    >>> _brief("DENIED Redis is running in protected mode because of this. " + "advice " * 99)
    'DENIED Redis is running in protected mode because of this.'
    """
    connecting = _CONNECTING.match(words)
    if connecting is not None:
        number, place, reason = connecting.groups()
        is_asyncios = reason.startswith("Connect call failed")
        words = f"{place}: {os.strerror(int(number)) if is_asyncios else reason.removesuffix('.')}"
    if len(words) <= _LONGEST:
        return words
    sentence = re.match(rf".{{20,{_LONGEST}}}?[.!]\s", words, re.DOTALL)
    return sentence[0].strip() if sentence else words[: _LONGEST - 1] + "…"
