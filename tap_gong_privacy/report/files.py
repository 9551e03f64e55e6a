"""Writes the files of a report: whole or not at all, for their owner alone, and never over another file."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tap_gong_privacy.errors import CommandLineError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_FOLDER_MODE: Final = 0o700
_FILE_MODE: Final = 0o600
_OTHERS: Final = 0o077
_OVERWRITES: Final = (
    "The folder given by --to holds such a report already, or is a file: name another; nothing is overwritten."
)


def refuse_existing(folder: Path, names: Iterable[str]) -> None:
    """Refuse a folder that must not be written into, or in which one of the files is there already.

    Raises:
        ConfigError: If the folder is a file, a link, another user's, or open to others for writing; if one of the files
            is there; or if the folder cannot be looked into.
        CommandLineError: If it is the current folder, which an empty name means too.
    """
    if folder == Path():
        msg = "--to names no folder, or the current one: name a folder; it is made if it is missing."
        raise CommandLineError(msg)
    try:
        status = folder.lstat()
        # Not exists(), which follows links: one that leads nowhere is not a free name.
        is_taken = any(os.path.lexists(folder / name) for name in names)
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError(_describe(error)) from None
    if stat.S_ISLNK(status.st_mode):
        msg = "The folder given by --to is a link: name the folder that it leads to."
    elif is_taken or not stat.S_ISDIR(status.st_mode):
        msg = _OVERWRITES
    elif status.st_uid != os.geteuid():
        msg = "The folder given by --to belongs to another user: name one of your own, or one that is not there yet."
    elif status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        msg = "Others may write into the folder given by --to: name one that is not there yet, or use chmod go-w."
    else:
        return
    raise ConfigError(msg)


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
    """Write files into a folder, which is made if it is missing. All of them appear whole, or none appears.

    Each file is written under a temporary name. When all are on the disk, they get their names, the page last, so that
    a page that is there has its data beside it. A process that is killed leaves a temporary file only, which the next
    one replaces.

    Args:
        folder: The folder.
        files: The parts of each file, by its name.

    Raises:
        ConfigError: If the folder must not be written into, or if a file is there already or cannot be written.
    """
    refuse_existing(folder, files)
    made: list[Path] = []
    written: list[Path] = []
    try:
        with _private_modes():
            for path in reversed([folder, *folder.parents]):
                if not path.exists():
                    path.mkdir(_FOLDER_MODE)
                    made.append(path)
            # Once more, because somebody may have made the folder in the meantime.
            refuse_existing(folder, files)
            temporary = {name: folder / f".{name}.part" for name in files}
            for name, parts in files.items():
                _write_file(temporary[name], parts, written)
            for name in sorted(files, key=lambda name: name.endswith(".html")):
                _show(temporary[name], folder / name)
                written.append(folder / name)
    except BaseException as error:
        _remove(written, made)
        if isinstance(error, OSError):
            raise ConfigError(_describe(error)) from None
        raise


@contextlib.contextmanager
def _private_modes() -> Iterator[None]:
    """Give what is made the modes that are asked for, whatever the umask was."""
    umask = os.umask(_OTHERS)
    try:
        yield
    finally:
        os.umask(umask)


def _write_file(path: Path, parts: Iterable[bytes], written: list[Path]) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
    written.append(path)
    with os.fdopen(descriptor, "wb") as file:
        file.writelines(parts)
        file.flush()
        os.fsync(descriptor)


def _show(temporary: Path, path: Path) -> None:
    if os.path.lexists(path):  # a rename would replace it
        raise FileExistsError
    temporary.rename(path)


def _describe(error: OSError) -> str:
    if isinstance(error, FileExistsError):
        return _OVERWRITES
    reason = (error.strerror or type(error).__name__).lower()
    return f"The report could not be written ({reason}): make room, or name another folder by --to."


def _remove(files: Iterable[Path], folders: Iterable[Path]) -> None:
    with contextlib.suppress(OSError):
        for path in files:
            path.unlink(missing_ok=True)
        for path in reversed([*folders]):
            path.rmdir()
