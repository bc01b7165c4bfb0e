"""Where the time of one request goes, told by the trace events of httpcore."""

from collections.abc import Callable

from opsdash.collectors.http.rows import Phases

_PHASES = {
    "connection.connect_tcp": "connecting",
    "connection.start_tls": "the TLS handshake",
    "http11.receive_response_headers": "the first byte",
    "http11.receive_response_body": "the body",
}
_SENT = "http11.send_request_headers"


class Stopwatch:
    """One request on a connection of its own."""

    def __init__(self, mono_s: Callable[[], float]) -> None:
        self._mono_s = mono_s
        self._marks: dict[str, float] = {}
        self.name_s: float | None = None
        self.waits_for = "the name lookup"
        """What it waits for now, for people."""

    def mark(self, event: str) -> None:
        """Take the time of an event: "connection.connect_tcp.started"."""
        self._marks[event] = self._mono_s()
        name, _, step = event.rpartition(".")
        if step == "started" and name in _PHASES:
            self.waits_for = _PHASES[name]

    def phases(self, *, earlier_s: float | None) -> Phases:
        """What is known so far; `earlier_s`: the requests before the last redirect."""
        answered = "http11.receive_response_headers.complete"
        return Phases(
            earlier_s=earlier_s,
            name_s=self.name_s,
            connect_s=self._between("connection.connect_tcp.started", "connection.connect_tcp.complete"),
            tls_s=self._between("connection.start_tls.started", "connection.start_tls.complete"),
            first_byte_s=self._between(f"{_SENT}.started", answered),
            body_s=self._between(answered, "body.read"),
        )

    def _between(self, first: str, last: str) -> float | None:
        if first not in self._marks or last not in self._marks:
            return None
        return self._marks[last] - self._marks[first]
