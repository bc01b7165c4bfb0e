"""opsdash's own log: a small private file. Nothing is ever logged to the terminal, where the screen is."""

import logging
import os
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from opsdash.collectors.secret import redact
from opsdash.collectors.text import clean

_LARGEST_BYTES = 1_000_000


class _Redacting(logging.Formatter):
    """Takes secrets and control characters out of the whole text, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        return clean(redact(super().format(record)))


class _PrivateFile(RotatingFileHandler):
    """Opens its file for its owner alone, and at the first line only."""

    def _open(self) -> TextIOWrapper:
        folder = Path(self.baseFilename).parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return TextIOWrapper(os.fdopen(descriptor, "ab"), encoding="utf-8", write_through=True)

    def handleError(self, record: logging.LogRecord) -> None:
        """A log that cannot be written is done without: logging's own complaint would go to the screen."""


def log_to(path: Path) -> None:
    """Send all logging and warnings of this process to `path`: about 1 MB, and one older file."""
    handler = _PrivateFile(path, maxBytes=_LARGEST_BYTES, backupCount=1, encoding="utf-8", delay=True)
    handler.setFormatter(_Redacting("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.captureWarnings(True)
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    for chatty in ("httpx", "httpcore"):  # a line per request, every few seconds
        logging.getLogger(chatty).setLevel(logging.WARNING)
