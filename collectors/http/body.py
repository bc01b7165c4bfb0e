"""What a health body says of the service and of what it depends on. Pure.

Forms that are understood: `{"status": "ok", "checks": {"database": "ok" | true | {"status": …}}}`, Spring's
`components`, the health+json draft (lists of objects), and lists of objects with a name.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from opsdash.collectors.http.rows import SubCheck, Verdict
from opsdash.collectors.text import one_line

_WORDS = {
    Verdict.UP: "ok okay up pass passed passing healthy true available connected green success alive "
    "ready running",
    Verdict.DEGRADED: "degraded warn warning yellow partial slow impaired",
    Verdict.DOWN: "down fail failed failing error unhealthy critical red false unavailable disconnected "
    "out_of_service dead timeout unreachable not_ready",
}
_MEANING = {word: verdict for verdict, words in _WORDS.items() for word in words.split()}
_STATUS_KEYS = ("status", "state", "healthy", "ok", "result")
_CHECK_KEYS = ("checks", "components", "dependencies", "services", "entries", "details")
_DETAIL_KEYS = ("error", "message", "output", "reason", "description", "detail")
_TIME_KEYS = ("latency_ms", "response_time_ms", "duration_ms", "latency", "responseTime", "duration")
_MOST = 50
"""Sub-checks looked at."""
_LONGEST = 120


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a body says."""

    verdict: Verdict | None = None
    """Of the service as a whole; None: nothing that is understood."""
    word: str | None = None
    """In the body's own word."""
    checks: tuple[SubCheck, ...] = ()


def decode(body: bytes) -> Any:
    """The JSON document of a body. Raises ValueError when it is none."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(one_line(str(error))) from error


def read(document: Any) -> Said:
    """What a health body says.

    >>> said = read({"status": "degraded", "checks": {"database": {"status": "unhealthy", "error": "no"}}})
    >>> said.word, said.verdict.value, [(c.name, c.says, c.verdict.value, c.detail) for c in said.checks]
    ('degraded', 'degraded', [('database', 'unhealthy', 'down', 'no')])
    >>> read(["no", "object"]).verdict is None
    True
    """
    if not isinstance(document, dict):
        return Said()
    checks: list[SubCheck] = []
    for key in _CHECK_KEYS:
        checks += list(_checks(document.get(key)))
    word = _word(document)
    return Said(verdict=None if word is None else _known(word), word=word, checks=_told_apart(checks[:_MOST]))


def _told_apart(checks: Sequence[SubCheck]) -> tuple[SubCheck, ...]:
    """Sub-checks of one name get numbers: each is a row of its own."""
    seen: dict[str, int] = {}
    found = []
    for check in checks:
        count = seen[check.name] = seen.get(check.name, 0) + 1
        found.append(msgspec.structs.replace(check, name=f"{check.name} ({count})") if count > 1 else check)
    return tuple(found)


def verdict_of(word: str) -> Verdict:
    """What a status word means.

    >>> [verdict_of(word).value for word in ("UP", "Warn", "OUT_OF_SERVICE", "purple")]
    ['up', 'degraded', 'down', 'unknown']
    """
    return _known(word) or Verdict.UNKNOWN


def _known(word: str) -> Verdict | None:
    return _MEANING.get(word.strip().lower().replace(" ", "_").replace("-", "_"))


def _word(document: Mapping[str, Any]) -> str | None:
    """The status word of an object; None when it has none."""
    for key in _STATUS_KEYS:
        value = document.get(key)
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str) and value.strip():
            return one_line(value)[:40]
        if isinstance(value, dict) and isinstance(value.get("code"), str):  # Spring Boot 1
            return one_line(value["code"])[:40]
    return None


def _checks(section: Any) -> Iterator[SubCheck]:
    """Sub-checks of one section, whichever of the usual forms it has."""
    if isinstance(section, dict):
        for name, value in list(section.items())[:_MOST]:
            check = _check(str(name), value)
            if check is not None:
                yield check
    elif isinstance(section, list):
        for value in section[:_MOST]:
            if isinstance(value, dict) and isinstance(value.get("name"), str):
                check = _check(value["name"], value)
                if check is not None:
                    yield check


def _check(name: str, value: Any) -> SubCheck | None:
    """One sub-check; None for what is none (a version, a number, a text that is no status)."""
    shown = one_line(name)[:40]
    if isinstance(value, bool):
        return SubCheck(name=shown, says=str(value).lower(), verdict=Verdict.UP if value else Verdict.DOWN)
    if isinstance(value, str):
        known = _known(value)
        return None if known is None else SubCheck(name=shown, says=one_line(value)[:40], verdict=known)
    if isinstance(value, list):  # health+json: several measurements of one thing
        found = [check for part in value[:_MOST] if (check := _check(name, part)) is not None]
        return max(found, key=lambda check: _ORDER[check.verdict], default=None)
    if not isinstance(value, dict):
        return None
    word = _word(value)
    if word is None:
        return None
    return SubCheck(name=shown, says=word, verdict=verdict_of(word), detail=_detail(value))


_ORDER = {Verdict.UP: 0, Verdict.UNKNOWN: 1, Verdict.DEGRADED: 2, Verdict.DOWN: 3}


def _detail(value: Mapping[str, Any]) -> str | None:
    """Latency and message of a sub-check, as far as it has them."""
    words = []
    for key in _TIME_KEYS:
        number = value.get(key)
        if isinstance(number, int | float) and not isinstance(number, bool):
            words.append(f"{number:g} ms" if key.endswith("_ms") else f"{key} {number:g}")
            break
    for key in _DETAIL_KEYS:
        text = value.get(key)
        if isinstance(text, str) and text.strip():
            words.append(one_line(text)[:_LONGEST])
            break
    return " · ".join(words) or None
