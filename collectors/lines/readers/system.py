"""Syslog and nginx."""

import re
from datetime import tzinfo

from opsdash.collectors.lines.readers.words import find_level
from opsdash.collectors.lines.record import Level, Record, level_of, level_of_number
from opsdash.collectors.lines.times import read_time

_PRIORITY = re.compile(r"<(\d{1,3})>(1 )?", re.ASCII)
_HEADER_5424 = re.compile(r" (\S+) (\S+) (\S+) (\S+) (-|(?:\[(?:[^\]\"]|\"(?:[^\"\\]|\\.)*\")*\])+) ?")
_HEADER_3164 = re.compile(r" (\S+) ([\w./@-]+)(?:\[(\d+)\])?: ?")

_ACCESS = re.compile(r"(\S+) \S+ (\S+) \[")
_REQUEST = re.compile(
    r'\] "((?:[^"\\]|\\.)*)" (\d{3}) (\d+|-)(?: "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)")?', re.ASCII
)
_NGINX_ERROR = re.compile(r" \[(debug|info|notice|warn|error|crit|alert|emerg)\] (\d+)#(\d+): ")


def read_syslog(text: str, near: float | None, zone: tzinfo | None) -> Record | None:
    """RFC 3164, with or without its priority, RFC 5424, and rsyslog's form with an ISO time.

    A level is the priority's severity; without a priority the message is searched for one.

    >>> record = read_syslog("<11>1 2026-11-22T03:12:40Z web shop 7 - - no lock", None, None)
    >>> record.at, record.level, record.message, dict(record.fields)
    (1795317160.0, <Level.ERROR: 5>, 'no lock', {'host': 'web', 'program': 'shop', 'pid': '7'})
    """
    priority = _PRIORITY.match(text)
    start = priority.end() if priority else 0
    timed = read_time(text, start, near=near, zone=zone)
    header = _HEADER_5424 if priority and priority[2] else _HEADER_3164
    if timed is None:
        return None
    found = header.match(text, timed[1])
    if found is None:
        return None
    names = ("host", "program", "pid", "id", "data")
    fields = {n: v for n, v in zip(names, found.groups(), strict=False) if v not in (None, "-")}
    message = text[found.end() :]
    level = level_of_number(int(priority[1]) % 8) if priority else None
    if level is None:
        said = find_level(message)
        level = said[0] if said else None
    return Record(at=timed[0], level=level, message=message, fields=fields, format="syslog")


def read_nginx(text: str, near: float | None, zone: tzinfo | None) -> Record | None:
    """The access log of nginx (and Apache), combined or common, and nginx's error log.

    An answer of 500 and above is an error of the server's side; every other one is for information.

    >>> line = '10.2.0.9 - bob [22/Nov/2026:03:12:40 +0000] "GET /cart HTTP/1.1" 503 12 "-" "curl"'
    >>> record = read_nginx(line, None, None)
    >>> record.at, record.level, record.message
    (1795317160.0, <Level.ERROR: 5>, '503 GET /cart HTTP/1.1')
    >>> read_nginx("2026/11/22 03:12:40 [crit] 7#7: *1 no file", None, None).level
    <Level.FATAL: 6>
    """
    found = _ACCESS.match(text)
    if found is None:
        return _read_nginx_error(text, near, zone)
    timed = read_time(text, found.end(), near=near, zone=zone)
    answer = _REQUEST.match(text, timed[1]) if timed else None
    if timed is None or answer is None:
        return None
    request, status, sent, referer, agent = answer.groups()
    values = {"client": found[1], "user": found[2], "status": status, "bytes": sent}
    values |= {"referer": referer, "agent": agent}
    rest = text[answer.end() :].strip()
    return Record(
        at=timed[0],
        level=Level.ERROR if int(status) >= 500 else Level.INFO,
        message=f"{status} {request}" + (f" {rest}" if rest else ""),
        fields={name: value for name, value in values.items() if value not in (None, "-", "")},
        format="nginx",
    )


def _read_nginx_error(text: str, near: float | None, zone: tzinfo | None) -> Record | None:
    timed = read_time(text, near=near, zone=zone)
    found = _NGINX_ERROR.match(text, timed[1]) if timed else None
    if timed is None or found is None:
        return None
    return Record(
        at=timed[0],
        level=level_of(found[1]),
        message=text[found.end() :],
        fields={"pid": found[2]},
        format="nginx",
    )
