"""Writes the files of a report: readable by their owner alone, never over another file."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final

from tap_gong_privacy.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_FOLDER_MODE: Final = 0o700
_FILE_MODE: Final = 0o600


_OVERWRITES: Final = (
    "The folder given by --to holds such a report already, or is a file: name another; nothing is overwritten."
)


def refuse_existing(folder: Path, names: Iterable[str]) -> None:
    """Refuse a folder in which one of the files is there already.

    Raises:
        ConfigError: If one is, if the folder is a file, or if the folder cannot be looked into.
    """
    try:
        is_taken = folder.is_file() or any((folder / name).exists() for name in names)
    except OSError as error:
        raise ConfigError(_describe(error)) from None
    if is_taken:
        raise ConfigError(_OVERWRITES)


def to_be_made(folder: Path) -> list[Path]:
    """Return the folder, and those above it that are missing.

    Raises:
        ConfigError: If they cannot be looked into.
    """
    try:
        return [folder, *(parent for parent in folder.parents if not parent.exists())]
    except OSError as error:
        raise ConfigError(_describe(error)) from None


def write(folder: Path, files: Mapping[str, Iterable[bytes]]) -> None:
    """Write files into a folder, which is made where it is missing. All of them are written, or none.

    Args:
        folder: The folder.
        files: The parts of each file, by its name.

    Raises:
        ConfigError: If one is there already, or cannot be written.
    """
    written: list[Path] = []
    is_new = not folder.exists()
    try:
        folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        for name, parts in files.items():
            path = folder / name
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
            written.append(path)
            with os.fdopen(descriptor, "wb") as file:
                file.writelines(parts)
    except BaseException as error:
        _remove(written, folder if is_new else None)
        if isinstance(error, OSError):
            raise ConfigError(_describe(error)) from None
        raise


def _describe(error: OSError) -> str:
    if isinstance(error, FileExistsError):
        return _OVERWRITES
    reason = (error.strerror or type(error).__name__).lower()
    return f"The report could not be written ({reason}): make room, or name another folder by --to."


def _remove(paths: Iterable[Path], folder: Path | None) -> None:
    with contextlib.suppress(OSError):
        for path in paths:
            path.unlink()
        if folder:
            folder.rmdir()
