"""Why a target could not be read: one class per cause that a person would treat differently.

OpsdashError
├── TargetError                 names its target, the reason in the target's words, what to do next
│   ├── ConnectionRefused       nothing listens there
│   ├── TimedOut                no answer in time (connecting, or in the middle of an answer)
│   ├── NameUnknown             the name does not resolve
│   ├── NameLookupHangs         the name server does not answer
│   ├── ConnectionLost          an open connection broke
│   ├── AuthenticationFailed    the server knows who we say we are, and refuses
│   ├── PermissionDenied        logged in, but this is not allowed
│   ├── TooManyClients          the server is full
│   ├── StartingUp              the server is up but not ready
│   ├── InRecovery              the server replays WAL and takes no connections yet
│   ├── ShuttingDown            the server is going down
│   ├── TlsFailed               the handshake or the certificate was refused
│   ├── ReadOnly                it takes no writes: a replica
│   ├── WritesRefused           it takes no writes now: full, cannot save, or lacks replicas
│   ├── NotSupported            the target is too old or is not what it was said to be
│   └── BadReply                an answer that makes no sense
└── ConfigError                 names the file, the key's path and what was expected
"""

from typing import ClassVar

from opsdash.collectors.snapshot import Failure, FailureKind
from opsdash.collectors.target import TargetId
from opsdash.collectors.text import one_line


class OpsdashError(Exception):
    """Whatever opsdash itself raises."""


class ConfigError(OpsdashError):
    """The configuration or the command line is wrong; the text says where and what was expected."""


class TargetError(OpsdashError):
    """A target could not be read or reached."""

    kind: ClassVar[FailureKind] = FailureKind.BAD_REPLY

    def __init__(self, target: TargetId, reason: str, *, hint: str | None = None) -> None:
        """Args: the target, the reason in its own words (cleaned here), and what to do next."""
        self.target = target
        self.reason = one_line(reason)
        self.hint = hint
        super().__init__(f"{target}: {self.reason}")

    def failure(self) -> Failure:
        """The same as a value, which is what the screen gets."""
        return Failure(kind=self.kind, reason=self.reason, hint=self.hint)


class ConnectionRefused(TargetError):
    """Nothing listens there."""

    kind = FailureKind.REFUSED


class TimedOut(TargetError):
    """No answer in time."""

    kind = FailureKind.TIMED_OUT


class NameUnknown(TargetError):
    """The name does not resolve."""

    kind = FailureKind.NAME_UNKNOWN


class NameLookupHangs(TargetError):
    """The name server does not answer."""

    kind = FailureKind.NAME_LOOKUP_HANGS


class ConnectionLost(TargetError):
    """An open connection broke."""

    kind = FailureKind.LOST


class AuthenticationFailed(TargetError):
    """The server refuses who we say we are."""

    kind = FailureKind.AUTHENTICATION


class PermissionDenied(TargetError):
    """Logged in, but this is not allowed."""

    kind = FailureKind.NO_PERMISSION


class TooManyClients(TargetError):
    """The server is full."""

    kind = FailureKind.TOO_MANY_CLIENTS


class StartingUp(TargetError):
    """The server is up but not ready."""

    kind = FailureKind.STARTING_UP


class InRecovery(TargetError):
    """The server replays WAL and takes no connections yet."""

    kind = FailureKind.RECOVERY


class ShuttingDown(TargetError):
    """The server is going down."""

    kind = FailureKind.SHUTTING_DOWN


class TlsFailed(TargetError):
    """The TLS handshake or the certificate was refused."""

    kind = FailureKind.TLS


class ReadOnly(TargetError):
    """It takes no writes: a replica."""

    kind = FailureKind.READ_ONLY


class WritesRefused(TargetError):
    """It takes no writes for as long as something is wrong with it."""

    kind = FailureKind.WRITES_REFUSED


class NotSupported(TargetError):
    """The target is too old, or is not what it was said to be."""

    kind = FailureKind.NOT_SUPPORTED


class BadReply(TargetError):
    """An answer that makes no sense."""

    kind = FailureKind.BAD_REPLY
