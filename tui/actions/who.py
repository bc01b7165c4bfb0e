"""Who is at the keys: asked afresh for every action, since people come and go in a shared tmux."""

import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence

import msgspec

from opsdash.collectors.text import one_line
from opsdash.collectors.threads import StillRunning, call_in_thread

DEADLINE_S = 1.0
"""How long tmux may take for one answer."""
_ALL_S = 1.5
"""How long all answers together may take; longer than one, whose own deadline ends its process."""


class TmuxClient(msgspec.Struct, frozen=True, kw_only=True):
    """One terminal that shows our window and can type into it."""

    tty: str
    user: str | None = None
    """Owner of the terminal, which stays the login's under sudo; None when it cannot be known."""
    address: str | None = None
    """Where that login came from, as `who` says; None: local, or not known."""


class Operator(msgspec.Struct, frozen=True, kw_only=True):
    """Who acts, as far as this machine can know."""

    uid: int
    user: str
    """Name of `uid`."""
    sudo_user: str | None = None
    ssh_from: str | None = None
    """Client address of SSH_CONNECTION. In tmux it is the one who began the session."""
    tmux_session: str | None = None
    """The session, or the group of sessions, that shows opsdash; None outside of tmux, or when not known."""
    clients: tuple[TmuxClient, ...] = ()
    """In tmux: whoever could have pressed the key."""
    unknown: str | None = None
    """Why the attached clients are not known; None when they are, or there is no tmux."""

    @property
    def label(self) -> str:
        """For people: "maria or tom (tmux: incident), from 10.0.4.7".

        >>> Operator(uid=0, user="root", sudo_user="maria", ssh_from="10.0.4.7").label
        'maria as root, from 10.0.4.7'
        >>> two = (TmuxClient(tty="/dev/pts/1", user="maria"), TmuxClient(tty="/dev/pts/2", user="tom"))
        >>> Operator(uid=7, user="tom", tmux_session="incident", clients=two).label
        'maria or tom (tmux: incident)'
        >>> Operator(uid=7, user="tom", unknown="tmux does not answer").label
        'tom (tmux: who is attached is not known: tmux does not answer)'
        """
        names = _distinct([c.user for c in self.clients]) or [self.sudo_user or self.user]
        who = " or ".join(names)
        if self.user not in names:
            who += f" as {self.user}"
        if self.unknown is not None:
            who += f" (tmux: who is attached is not known: {self.unknown})"
        elif self.tmux_session is not None:
            who += f" (tmux: {self.tmux_session})"
        origins = _distinct([c.address for c in self.clients]) or _distinct([self.ssh_from])
        return f"{who}, from {' or '.join(origins)}" if origins else who


def _distinct(values: Sequence[str | None]) -> list[str]:
    return list(dict.fromkeys(v for v in values if v))


async def find_operator(environ: Mapping[str, str] | None = None) -> Operator:
    """Ask the system, and tmux where we run in it, who is at the keys now. Never raises for their sake."""
    env = os.environ if environ is None else environ
    uid = os.getuid()
    alone = Operator(
        uid=uid,
        user=_user_name(uid) or str(uid),
        sudo_user=_stated(env, "SUDO_USER"),
        ssh_from=_stated(env, "SSH_CONNECTION"),
    )
    if not env.get("TMUX"):
        return alone
    try:
        session, clients = await call_in_thread(lambda: _attached(env), key="tmux", timeout_s=_ALL_S)
    except (TimeoutError, StillRunning, subprocess.TimeoutExpired):
        return msgspec.structs.replace(alone, unknown="tmux does not answer")
    except subprocess.CalledProcessError as error:
        said = one_line(error.stderr.decode("utf-8", "replace"))
        return msgspec.structs.replace(alone, unknown=said or f"tmux ended with {error.returncode}")
    except (OSError, ValueError) as error:
        return msgspec.structs.replace(alone, unknown=one_line(str(error)))
    return msgspec.structs.replace(alone, tmux_session=session, clients=clients)


def _stated(environ: Mapping[str, str], name: str) -> str | None:
    """The first word of a variable: "10.0.4.7 50122 10.0.0.1 22" names the client first."""
    return one_line(environ.get(name, "")).partition(" ")[0] or None


def _user_name(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None


_PANE = "#{?session_grouped,#{session_group},#{session_name}}\t#{window_id}"
_CLIENT = "#{client_tty}\t#{client_readonly}\t#{window_id}"


def _attached(environ: Mapping[str, str]) -> tuple[str, tuple[TmuxClient, ...]]:
    """Our session, and the clients whose present window is ours and who may type; blocks."""
    socket_path = environ["TMUX"].split(",")[0]
    tmux = ["tmux", "-S", socket_path]
    pane = ["-t", environ["TMUX_PANE"]] if environ.get("TMUX_PANE") else []
    ours = _output([*tmux, "display-message", "-p", *pane, _PANE], environ).rstrip("\n")
    session, _, window = ours.partition("\t")
    origins = _origins(environ)
    clients = []
    for line in _output([*tmux, "list-clients", "-F", _CLIENT], environ).splitlines():
        tty, readonly, shown = line.split("\t")
        if shown == window and readonly != "1":
            name = one_line(tty)
            clients.append(TmuxClient(tty=name, user=_owner(tty), address=origins.get(tty)))
    return one_line(session), tuple(clients)


def _output(argv: Sequence[str], environ: Mapping[str, str]) -> str:
    done = subprocess.run(
        argv, env=dict(environ), stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE_S, check=True
    )
    return done.stdout.decode("utf-8", "replace")


def _owner(tty: str) -> str | None:
    try:
        uid = os.stat(tty).st_uid
    except OSError:
        return None
    return _user_name(uid) or str(uid)


def _origins(environ: Mapping[str, str]) -> dict[str, str]:
    """Terminal -> where its login came from, as `who` has it; empty where there is no such list."""
    try:
        said = _output(["who"], environ)
    except (OSError, subprocess.SubprocessError):
        return {}
    return origins(said)


def origins(who: str) -> dict[str, str]:
    r"""Read the output of `who`: terminal -> address, for logins that came from elsewhere.

    >>> origins("maria pts/3  2026-11-22 03:01 (10.0.4.7)\ntom tty1 2026-11-22 02:00\n")
    {'/dev/pts/3': '10.0.4.7'}
    >>> origins("maria pts/4  2026-11-22 03:01 (tmux(900).%0)\n")
    {}
    """
    found = {}
    for line in who.splitlines():
        words = line.split()
        address = words[-1] if words else ""
        if len(words) > 2 and address.startswith("(") and address.endswith(")"):
            inner = one_line(address[1:-1])
            if not inner.startswith((":", "tmux(")):
                found[f"/dev/{words[1]}"] = inner
    return found
