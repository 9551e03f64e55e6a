"""Keeps addresses and secrets out of stderr: what would show one is silenced, a last net catches the rest."""

from __future__ import annotations

import io
import logging
import os
import re
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, TextIO
from urllib.parse import quote, quote_plus

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable

HIDDEN = "(hidden)"

# Whatever could be an address, raw or URL-encoded: an address has no white space.
_ADDRESS = re.compile(r"\S*(?:@|%40)\S*", re.IGNORECASE)
# These show URLs, and the expressions and values of stream maps.
_SILENCED = (
    *("urllib3", "requests", "backoff", "singer_sdk.mapper"),
    *("fsspec", "s3fs", "botocore", "aiobotocore", "aiohttp", "asyncio"),
)


class _Net(io.TextIOBase):
    """A text stream that hides what could be an address, and each known secret."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._secrets: list[str] = []

    def hide(self, secrets: Iterable[str]) -> None:
        """Hide these texts, too, in the forms in which errors quote them."""
        for secret in secrets:
            forms = {secret, quote(secret, safe="", errors="replace"), quote_plus(secret, errors="replace")}
            self._secrets += [*forms, repr(secret)[1:-1], ascii(secret)[1:-1]]
        self._secrets.sort(key=len, reverse=True)

    @override
    def write(self, s: str) -> int:
        text = s
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        if "@" in text or "%40" in text:
            text = _ADDRESS.sub(HIDDEN, text)
        self._stream.write(text)
        return len(s)

    @override
    def flush(self) -> None:
        self._stream.flush()

    @override
    def fileno(self) -> int:
        return self._stream.fileno()

    @override
    def isatty(self) -> bool:
        return self._stream.isatty()

    @override
    def writable(self) -> bool:
        return True

    @property
    @override
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the stream behind it."""
        return self._stream.encoding


def guard_stderr() -> None:
    """Put the net before stderr. To be called before logging is set up, which keeps the stream that it finds."""
    if not isinstance(sys.stderr, _Net):
        # None where the process began with stderr closed. Whatever is opened next would get its number, and the log.
        sys.stderr = _Net(sys.stderr or Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - while we live


def silence_libraries() -> None:
    """Let no library log what shows URLs or values. To be called after logging is set up, which may set levels."""
    loggers = logging.getLogger().manager.loggerDict
    for name in {*_SILENCED, *loggers}:
        if name.startswith(_SILENCED):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def hide(secrets: Iterable[str]) -> None:
    """Have the net hide these secrets.

    Args:
        secrets: Texts that must never be shown.
    """
    if isinstance(sys.stderr, _Net):
        sys.stderr.hide(secrets)


def describe(error: BaseException) -> str:
    """Describe an unforeseen error by its type and place alone: its message could quote anything.

    Args:
        error: The error.

    Returns:
        One line.
    """
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames[-6:]]
    return f"{type(error).__name__} at {' > '.join(places)}"
