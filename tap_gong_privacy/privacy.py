"""Keeps addresses and secrets out of stderr: silences the loggers that would show them, and redacts everything else."""

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

from typing_extensions import Buffer, override

if TYPE_CHECKING:
    from collections.abc import Iterable

HIDDEN = "(hidden)"

_WORD = re.compile(r"\S+")
# These loggers show URLs, and the expressions and values of stream maps.
_SILENCED = (
    *("urllib3", "requests", "backoff", "singer_sdk.mapper"),
    *("fsspec", "s3fs", "botocore", "aiobotocore", "aiohttp", "asyncio"),
)


class _Net(io.TextIOBase):
    """A text stream that hides each word that could be an address, and each known secret."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._secrets: list[str] = []

    def hide(self, secrets: Iterable[str]) -> None:
        """Hide these texts too, in the forms in which errors quote them."""
        forms = set(self._secrets)
        for secret in secrets:
            forms |= {secret, quote(secret, safe="", errors="replace"), quote_plus(secret, errors="replace")}
            forms |= {repr(secret)[1:-1], ascii(secret)[1:-1]}
        # A new list, because another thread may be reading the old one. A secret may contain a shorter one.
        self._secrets = sorted(forms, key=len, reverse=True)

    @override
    def write(self, s: str) -> int:
        text = s
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        if "@" in text or "%40" in text:
            text = _WORD.sub(_without_address, text)
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
        """The encoding of the stream behind the net."""
        return self._stream.encoding

    @property
    def buffer(self) -> io.BufferedIOBase:
        """A binary stream in front of the same net. For example, click writes to it if the encoding is ASCII."""
        return _BinaryNet(self)

    def __getattr__(self, name: str) -> object:
        """Return any other attribute of the stream behind the net, such as `name` or `reconfigure`."""
        return getattr(self._stream, name)


class _BinaryNet(io.BufferedIOBase):
    """The binary side of a net."""

    def __init__(self, net: _Net) -> None:
        self._net = net

    @override
    def write(self, buffer: Buffer) -> int:
        data = bytes(buffer)
        self._net.write(data.decode("utf-8", "replace"))
        return len(data)

    @override
    def flush(self) -> None:
        self._net.flush()

    @override
    def writable(self) -> bool:
        return True


def _without_address(word: re.Match[str]) -> str:
    # An address, raw or URL-encoded, contains no white space.
    return HIDDEN if "@" in word[0] or "%40" in word[0] else word[0]


def guard_stderr() -> None:
    """Put the net in front of stderr. Call this before logging is set up: a handler keeps the stream that it finds."""
    if not isinstance(sys.stderr, _Net):
        # stderr is None if the process began with it closed. The next file that is opened would then receive the log.
        sys.stderr = _Net(sys.stderr or Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - until exit


def silence_libraries() -> None:
    """Silence the libraries that log URLs or values. Call this after logging is set up, which may set levels."""
    loggers = logging.getLogger().manager.loggerDict
    for name in {*_SILENCED, *loggers}:
        if name.startswith(_SILENCED):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def hide(secrets: Iterable[str]) -> None:
    """Make the net hide these secrets.

    Args:
        secrets: Texts that must never be shown.
    """
    if isinstance(sys.stderr, _Net):
        sys.stderr.hide(secrets)


def describe(error: BaseException) -> str:
    """Describe an unforeseen error by its type and place only, because its message could quote anything.

    Args:
        error: The error.

    Returns:
        One line.
    """
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames[-6:]]
    return f"{type(error).__name__} at {' > '.join(places)}"
