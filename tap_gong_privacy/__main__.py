"""The command `tap-gong-privacy`."""

from __future__ import annotations

import logging
import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from tap_gong_privacy import privacy

if TYPE_CHECKING:
    from types import FrameType


logger = logging.getLogger("tap-gong-privacy")


def main() -> None:
    """Run the command. Report every error as one line of the log, never as a traceback."""
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, _exit)
    privacy.guard_stderr()
    _check_environment()
    command = _command()
    privacy.silence_libraries()
    try:
        code = command.main(prog_name="tap-gong-privacy", standalone_mode=False)
    except click.ClickException as error:
        # As log records, because Meltano relays plain lines at INFO.
        logger.error("%s", _message(error))  # noqa: TRY400 - no traceback
        code = error.exit_code
    except click.Abort:
        code = 130
    except Exception as error:  # noqa: BLE001 - a traceback may quote an address or a secret
        logger.error("Internal error, please report it: %s", privacy.describe(error))  # noqa: TRY400 - as above
        code = 1
    finally:
        # Everything has been written by now, so a second signal must not change the exit code. Most runs come here
        # with a `SystemExit`.
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, signal.SIG_IGN)
    sys.exit(code if isinstance(code, int) else 0)


def _command() -> click.Command:
    try:
        # Imported after the signal handlers are set, because Ctrl-C during the import would end in a traceback.
        from tap_gong_privacy.tap import TapGongPrivacy  # noqa: PLC0415
    except ImportError as error:
        _refuse(f"a package is missing or has an incompatible version ({error.name}): reinstall tap-gong-privacy.")
    except Exception as error:  # noqa: BLE001 - a traceback may quote a variable of the environment
        _refuse(f"internal error, please report it: {privacy.describe(error)}")
    try:
        # The SDK sets logging up here, as the environment says.
        return TapGongPrivacy.cli
    except Exception as error:  # noqa: BLE001 - a logging configuration can raise anything
        _refuse(
            f"the log cannot be set up ({type(error).__name__}): correct TAP_GONG_PRIVACY_LOGLEVEL, LOGLEVEL or "
            "SINGER_SDK_LOG_CONFIG.",
        )


def _refuse(reason: str) -> NoReturn:
    click.echo(f"Error: {reason}", file=sys.stderr)
    sys.exit(1)


def _check_environment() -> None:
    """Check stdout and the log level before anything uses them."""
    if sys.stdout is None:
        _refuse("standard output is closed: connect the tap to a target.")
    for name in ("TAP_GONG_PRIVACY_LOGLEVEL", "LOGLEVEL"):
        # The SDK would take an empty variable for a level.
        if not os.environ.get(name):
            os.environ.pop(name, None)


def _message(error: click.ClickException) -> str:
    if type(error) is click.UsageError:
        # click quotes a surplus argument, which may be a secret. Its other errors are subclasses.
        return "Got an unexpected argument, which is not shown: the tap takes options only, see --help."
    return " ".join(error.format_message().split())


def _exit(signum: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + signum)


if __name__ == "__main__":
    main()
