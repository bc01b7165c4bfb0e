"""JSON and logfmt: every value has a name."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import tzinfo
from typing import Any

import msgspec

from opsdash.collectors.lines.mask import MASK, is_secret_name, mask
from opsdash.collectors.lines.record import Level, Record, level_of, level_of_number
from opsdash.collectors.lines.times import epoch_seconds, read_time
from opsdash.collectors.text import clean

_TIME_NAMES = ("time", "ts", "timestamp", "@timestamp", "t", "@t", "datetime", "asctime", "date", "eventTime")
_LEVEL_NAMES = (
    "level", "severity", "lvl", "log.level", "levelname", "loglevel", "log_level", "@l", "error_severity",
    "s",
)  # fmt: skip
_LETTER_NAME = "s"
"""MongoDB's; anything but one letter is something else that is called so."""
_MESSAGE_NAMES = ("msg", "message", "event", "@m", "@mt", "short_message", "log", "textPayload", "text")

_PAIR = re.compile(r'(?<!\S)([A-Za-z_@][\w.@/-]*)=("(?:[^"\\]|\\.)*"|[^\s"]*)(?=\s|$)')
_ESCAPED = re.compile(r"\\(.)")
_DECODER = msgspec.json.Decoder()


def read_json(raw: bytes, near: float | None, zone: tzinfo | None) -> Record | None:
    r"""One JSON object.

    Args:
        raw: The line as it was printed: escapes in its values are made harmless after they are read.
        near: As in `read_time`.
        zone: As in `read_time`.

    >>> line = b'{"level":50,"time":1795317160204,"msg":"no lock","pool":{"size":60}}'
    >>> record = read_json(line, None, None)
    >>> record.at, record.level, record.message, dict(record.fields)
    (1795317160.204, <Level.ERROR: 5>, 'no lock', {'pool.size': '60'})
    """
    try:
        values = _DECODER.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(values, dict):
        return None
    at_name, at = _first_time(values, near, zone)
    level_name, level = _first_level(values)
    message_name = next((name for name in _MESSAGE_NAMES if isinstance(values.get(name), str)), None)
    used = {at_name, level_name, message_name}
    safe = _as_it_is if _is_harmless(raw) else _made_safe
    fields = {name: text for name, text in _texts(values, safe) if name not in used}
    message = safe(values[message_name]) if message_name else _joined(fields)
    return Record(at=at, level=level, message=message, fields=fields, format="json")


def _first_time(
    values: Mapping[str, Any], near: float | None, zone: tzinfo | None
) -> tuple[str | None, float | None]:
    for name in _TIME_NAMES:
        value = values.get(name)
        if isinstance(value, dict):  # MongoDB: {"$date": "…"}
            value = value.get("$date")
        if isinstance(value, str):
            found = read_time(value, near=near, zone=zone)
            if found is not None:
                return name, found[0]
        elif isinstance(value, int | float) and not isinstance(value, bool):
            at = epoch_seconds(value)
            if at is not None:
                return name, at
    return None, None


def _first_level(values: Mapping[str, Any]) -> tuple[str | None, Level | None]:
    for name in _LEVEL_NAMES:
        value = values.get(name)
        level = None
        if isinstance(value, str):
            level = level_of(value) if name != _LETTER_NAME or len(value) == 1 else None
        elif name == _LETTER_NAME:
            continue
        elif isinstance(value, int | float) and not isinstance(value, bool):
            level = level_of_number(value)
        if level is not None:
            return name, level
    nested = values.get("log")
    if isinstance(nested, dict) and isinstance(nested.get("level"), str):  # Elastic's common schema
        return "log.level", level_of(nested["level"])
    return None, None


def _is_harmless(raw: bytes) -> bool:
    """Whether no value of an object needs cleaning or masking: so it is for most, and one look is cheaper."""
    if not raw.isascii() or b"\\" in raw:
        return False
    text = raw.decode()
    return text.isprintable() and mask(text) == text


def _as_it_is(text: str) -> str:
    return text


def _made_safe(text: str) -> str:
    return mask(clean(text))


def _texts(
    values: Mapping[Any, Any], safe: Callable[[str], str], prefix: str = ""
) -> Iterator[tuple[str, str]]:
    """Every value as text; an object one level down as `name.key`."""
    for key, value in values.items():
        name = clean(prefix + key)
        if isinstance(value, dict) and value and not prefix:
            yield from _texts(value, safe, f"{name}.")
        elif is_secret_name(name):
            yield name, MASK
        elif isinstance(value, str):
            yield name, safe(value)
        else:
            yield name, safe(msgspec.json.encode(value).decode())


def _joined(fields: Mapping[str, str]) -> str:
    return " ".join(f"{name}={text}" for name, text in fields.items())


def read_logfmt(text: str, near: float | None, zone: tzinfo | None) -> Record | None:
    r"""Pairs `name=value`, at least two, and nothing before the first.

    >>> record = read_logfmt(r'ts=2026-11-22T03:12:40Z lvl=eror msg="no \"lock\"" id=7f3a91', None, None)
    >>> record.at, record.level, record.message, dict(record.fields)
    (1795317160.0, <Level.ERROR: 5>, 'no "lock"', {'id': '7f3a91'})
    """
    pairs = _PAIR.findall(text)
    if len(pairs) < 2 or not text.startswith(f"{pairs[0][0]}="):
        return None
    values = {name: _unquoted(value) for name, value in pairs}
    at_name, at = _first_time(values, near, zone)
    level_name, level = _first_level(values)
    message_name = next((name for name in _MESSAGE_NAMES if values.get(name)), None)
    used = {at_name, level_name, message_name}
    fields = {n: MASK if is_secret_name(n) else v for n, v in values.items() if n not in used}
    message = values[message_name] if message_name else _joined(fields)
    return Record(at=at, level=level, message=message, fields=fields, format="logfmt")


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    return _ESCAPED.sub(r"\1", value[1:-1]) if "\\" in value else value[1:-1]
