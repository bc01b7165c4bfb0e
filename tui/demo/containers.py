"""The demo's two containers on a Docker engine: one is well, one is unhealthy until it is restarted.

Standard library only. Run as a script it removes the containers of one demo: that is how the keeper does it,
however the demo ends. No image is ever fetched: one that the engine has is used.
"""

import http.client
import json
import os
import socket
import sys
from collections.abc import Mapping
from typing import Any

LABEL = "opsdash.demo"
"""Its value tells one demo from another."""

_USUAL_SOCKET = "/var/run/docker.sock"
_IMAGES = ("busybox", "alpine")
_ANSWER_S = 10.0
_PING_S = 2.0
_API = "/v1.24"
"""Old enough for every engine that still runs, new enough for health checks."""

_SECOND_NS = 1_000_000_000
_PROJECT = "demo"

_SCRIPT = """
trap 'exit 0' TERM INT
say() { echo "$1 web: $2"; }
work() {
  echo ok > /tmp/health
  say INFO "listening on :8080"
  n=0
  while [ $n -lt 43200 ]; do
    n=$((n+1)); say INFO "GET /cart 200 $((n*7%40+3))ms"; sleep 1 & wait $!
  done
}
fail() {
  echo ok > /tmp/health
  say INFO "listening on :8080"
  sleep 5 & wait $!
  echo "sessions: pool is closed since the last reload" > /tmp/health
  n=0
  while [ $n -lt 21600 ]; do
    n=$((n+1)); say ERROR "GET /cart 500: sessions: pool is closed since the last reload (a restart opens it)"
    sleep 2 & wait $!
  done
}
if [ "$1" = well ] || [ -e /tmp/restarted ]; then work; fi
: > /tmp/restarted
fail
"""
"""Ends by itself after half a day, in case nobody is left who would remove it."""

_HEALTH = 'read said < /tmp/health; echo "$said"; [ "$said" = ok ]'


class EngineProblem(Exception):
    """The engine cannot be used for the demo; the text says why."""


class _Connection(http.client.HTTPConnection):
    """HTTP over the engine's socket."""

    def __init__(self, path: str, limit_s: float) -> None:
        super().__init__("docker", timeout=limit_s)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket in place of a host."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def local_engine(environ: Mapping[str, str]) -> str | None:
    """The socket of an engine on this machine that answers; None: there is none.

    An engine elsewhere is none of the demo's business: nothing is to be started there.
    """
    host = environ.get("DOCKER_HOST") or f"unix://{_USUAL_SOCKET}"
    if not host.startswith("unix://"):
        return None
    path = host.removeprefix("unix://")
    try:
        _ask(path, "GET", "/_ping", limit_s=_PING_S)
    except EngineProblem:
        return None
    return path


def start_containers(path: str, run: str) -> None:
    """Make both containers and start them.

    Args:
        path: The engine's socket.
        run: Tells this demo from others: value of the label, and part of the names.

    Raises:
        EngineProblem: The engine has no suitable image, or refuses.
    """
    image = _find_image(path)
    for number, role in enumerate(("well", "unwell"), start=1):
        name = f"web-{number}-{run}"
        made = _ask(path, "POST", f"{_API}/containers/create?name={name}", _recipe(image, run, number, role))
        _ask(path, "POST", f"{_API}/containers/{made['Id']}/start")


def remove_containers(path: str, run: str) -> None:
    """Remove the containers of one demo, running or not. Raises EngineProblem."""
    filters = json.dumps({"label": [f"{LABEL}={run}"]}).replace(" ", "").replace('"', "%22")
    for found in _ask(path, "GET", f"{_API}/containers/json?all=1&filters={filters}"):
        _ask(path, "DELETE", f"{_API}/containers/{found['Id']}?force=1&v=1")


def _find_image(path: str) -> str:
    tags = [tag for image in _ask(path, "GET", f"{_API}/images/json") for tag in image["RepoTags"] or ()]
    for wanted in _IMAGES:
        for tag in tags:
            if tag.rpartition(":")[0].rpartition("/")[2] == wanted:
                return str(tag)
    raise EngineProblem(f"the engine has no image {' or '.join(_IMAGES)} (docker pull busybox)")


def _recipe(image: str, run: str, number: int, role: str) -> dict[str, Any]:
    compose = "com.docker.compose"
    return {
        "Image": image,
        "Entrypoint": ["/bin/sh", "-c", _SCRIPT, "sh", role],
        "Cmd": [],
        "Labels": {
            LABEL: run,
            f"{compose}.project": f"{_PROJECT}-{run}",
            f"{compose}.service": "web",
            f"{compose}.container-number": str(number),
            f"{compose}.oneoff": "False",
        },
        "Healthcheck": {
            "Test": ["CMD-SHELL", _HEALTH],
            "Interval": 2 * _SECOND_NS,
            "Timeout": 2 * _SECOND_NS,
            "Retries": 2,
        },
        "HostConfig": {"NetworkMode": "none", "RestartPolicy": {"Name": "no"}},
    }


def _ask(path: str, method: str, where: str, body: object = None, *, limit_s: float = _ANSWER_S) -> Any:
    """One request; the decoded answer, None where there is none. Raises EngineProblem."""
    connection = _Connection(path, limit_s)
    try:
        sent = None if body is None else json.dumps(body)
        connection.request(method, where, sent, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        is_json = answer.headers.get_content_type() == "application/json"
        said = json.loads(text) if text and is_json else None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise EngineProblem(f"{path}: {error}") from error
    finally:
        connection.close()
    is_gone = method == "DELETE" and answer.status in (404, 409)  # gone, or on its way
    if answer.status >= 400 and not is_gone:
        raise EngineProblem(str(said.get("message")) if isinstance(said, dict) else f"status {answer.status}")
    return said


if __name__ == "__main__":
    os.chdir("/")
    remove_containers(*sys.argv[1:])
