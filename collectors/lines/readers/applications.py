"""The logging libraries of Python, Java and Go."""

import re
from collections.abc import Sequence
from datetime import tzinfo

from opsdash.collectors.lines.record import Record, level_of
from opsdash.collectors.lines.times import klog_time, read_time

_P = r"(?P<level>DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL|FATAL)"
_AFTER_TIME_PYTHON = (
    re.compile(rf" +- (?P<logger>[\w.]+) - {_P} - "),
    re.compile(rf" \| {_P} *\| (?P<logger>[\w.<>:]+) - "),  # loguru
    re.compile(rf"\] \[(?P<pid>\d+)\] \[{_P}\] ?"),  # gunicorn
    re.compile(rf": {_P}/(?P<process>[\w-]+)\] "),  # celery
    re.compile(rf"\]? +\[?{_P}\]?:? +(?P<logger>[a-z_][\w.]*): "),
)
_WITHOUT_TIME_PYTHON = (
    re.compile(rf"{_P}:(?P<logger>[A-Za-z_][\w.]*):"),  # basicConfig
    re.compile(rf"{_P}: {{3,}}"),  # uvicorn
)

_J = r"(?P<level>TRACE|DEBUG|INFO|WARN|ERROR|FATAL)"
_CLASS = r"(?P<logger>(?:[\w$-]+\.)*[A-Z][\w$\[\]/]*)"
_AFTER_TIME_JAVA = (
    re.compile(
        rf" +{_J} (?P<pid>\d+) --- (?:\[[^\]]*\] )*\[ *(?P<thread>[^\]]*)\] {_CLASS} *: "
    ),  # Spring Boot
    re.compile(rf"\]? +\[(?P<thread>[^\]]+)\] {_J} +{_CLASS} ?(?:-|:) "),  # logback
    re.compile(rf"\]? +{_J} +\[(?P<thread>[^\]]+)\] {_CLASS} ?(?:-|:) "),
    re.compile(rf"\]? +{_J} +\[(?P<logger>[\w.$]+)\] \((?P<thread>[^)]*)\) "),  # JBoss, Quarkus
    re.compile(rf"\]? +{_J} +{_CLASS} ?(?:-|:) "),
)
_KLOG = re.compile(r"[IWEF](?=\d{4} )")
_KLOG_WHERE = re.compile(r" +(?P<pid>\d+) (?P<where>[\w./-]+:\d+)\] ?")


def read_python(text: str, near: float | None, zone: tzinfo | None) -> Record | None:
    """`logging` in its usual layouts, uvicorn, gunicorn, loguru, celery.

    >>> from datetime import UTC
    >>> record = read_python("2026-11-22 03:12:40,204 ERROR shop.pool: no lock", None, UTC)
    >>> record.at, record.level, record.message, dict(record.fields)
    (1795317160.204, <Level.ERROR: 5>, 'no lock', {'logger': 'shop.pool'})
    >>> read_python("INFO:     Application startup complete.", None, None).message
    'Application startup complete.'
    """
    timed = read_time(text, 1 if text.startswith("[") else 0, near=near, zone=zone)
    if timed is None:
        return _read(text, 0, None, _WITHOUT_TIME_PYTHON, "python")
    return _read(text, timed[1], timed[0], _AFTER_TIME_PYTHON, "python")


def read_java(text: str, near: float | None, zone: tzinfo | None) -> Record | None:
    """Logback, log4j, Spring Boot, Quarkus in their usual layouts.

    >>> from datetime import UTC
    >>> line = "2026-11-22 03:12:40,204 [http-1] ERROR com.shop.Orders - no lock"
    >>> record = read_java(line, None, UTC)
    >>> record.level, record.message, dict(record.fields)
    (<Level.ERROR: 5>, 'no lock', {'thread': 'http-1', 'logger': 'com.shop.Orders'})
    """
    timed = read_time(text, 1 if text.startswith("[") else 0, near=near, zone=zone)
    return None if timed is None else _read(text, timed[1], timed[0], _AFTER_TIME_JAVA, "java")


def read_go(text: str, near: float | None, zone: tzinfo | None) -> Record | None:
    """Lines of klog and glog; slog writes logfmt or JSON.

    >>> from datetime import UTC
    >>> record = read_go("E1122 03:12:40.204123    7 pool.go:41] no lock", 1795317170.0, UTC)
    >>> record.at, record.level, record.message, dict(record.fields)
    (1795317160.204123, <Level.ERROR: 5>, 'no lock', {'pid': '7', 'where': 'pool.go:41'})
    """
    head = _KLOG.match(text)
    timed = klog_time(text, 1, near=near, zone=zone) if head else None
    found = _KLOG_WHERE.match(text, timed[1]) if timed else None
    if head is None or timed is None or found is None:
        return None
    return Record(
        at=timed[0],
        level=level_of(head[0]),
        message=text[found.end() :],
        fields=found.groupdict(),
        format="go",
    )


def _read(
    text: str, start: int, at: float | None, layouts: Sequence[re.Pattern[str]], format: str
) -> Record | None:
    """By the first layout that fits what follows the time."""
    for layout in layouts:
        found = layout.match(text, start)
        if found is not None:
            values = found.groupdict()
            level = level_of(values.pop("level"))
            return Record(at=at, level=level, message=text[found.end() :], fields=values, format=format)
    return None
