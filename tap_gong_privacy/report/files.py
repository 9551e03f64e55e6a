"""Writes the files of a report: readable by their owner alone, never over another file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from tap_gong_privacy.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_FOLDER_MODE: Final = 0o700
_FILE_MODE: Final = 0o600


def write(folder: Path, files: Mapping[str, Iterable[bytes]]) -> None:
    """Write files into a folder, which is made where it is missing. All of them are written, or none.

    Args:
        folder: The folder.
        files: The parts of each file, by its name.

    Raises:
        ConfigError: If one is there already, or cannot be written.
    """
    written: list[Path] = []
    try:
        folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        for name, parts in files.items():
            path = folder / name
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
            written.append(path)
            with os.fdopen(descriptor, "wb") as file:
                file.writelines(parts)
    except FileExistsError:
        _remove(written)
        msg = (
            "The folder given by --to holds such a report already, or is a file: name another; nothing is overwritten."
        )
        raise ConfigError(msg) from None
    except OSError as error:
        _remove(written)
        msg = f"The report could not be written ({(error.strerror or type(error).__name__).lower()}): "
        msg += "make room, or name another folder by --to."
        raise ConfigError(msg) from None
    except BaseException:
        _remove(written)
        raise


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
