"""The command `tap-gong-privacy`."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from tap_gong_privacy import privacy

if TYPE_CHECKING:
    from types import FrameType


def main() -> None:
    """Run the command. What the user can mend is one line on stderr; nothing is a traceback."""
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, _end)
    privacy.guard_stderr()
    _look_around()
    try:
        # Only now: the imports take a second, in which Ctrl-C would end in a traceback.
        from tap_gong_privacy.tap import TapGongPrivacy  # noqa: PLC0415

        command = TapGongPrivacy.cli
    except Exception as error:  # noqa: BLE001 - the SDK sets logging up, by the environment
        reason = (
            f"the log cannot be set up ({type(error).__name__}): correct TAP_GONG_PRIVACY_LOGLEVEL, LOGLEVEL or "
            "SINGER_SDK_LOG_CONFIG."
        )
        click.echo(f"Error: {reason}", file=sys.stderr)
        sys.exit(1)
    privacy.silence_libraries()
    try:
        code = command.main(prog_name=TapGongPrivacy.name, standalone_mode=False)
    except click.ClickException as error:
        click.echo(f"Error: {_message(error)}", file=sys.stderr)
        code = error.exit_code
    except click.Abort:
        code = 130
    except Exception as error:  # noqa: BLE001 - no traceback may quote an address or a secret
        click.echo(f"Error of the tap's own, please report it: {privacy.describe(error)}", file=sys.stderr)
        code = 1
    finally:
        # All is said and written: a second signal is not to change the exit code. Most ends come as a `SystemExit`.
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, signal.SIG_IGN)
    sys.exit(code if isinstance(code, int) else 0)


def _look_around() -> None:
    """Mend what the surroundings may lack, before anything depends on it."""
    if sys.stdout is None:
        click.echo("Error: standard output is closed: connect the tap to a target.", file=sys.stderr)
        sys.exit(1)
    for name in ("TAP_GONG_PRIVACY_LOGLEVEL", "LOGLEVEL"):
        # The SDK would take an empty variable for a level.
        if not os.environ.get(name):
            os.environ.pop(name, None)


def _message(error: click.ClickException) -> str:
    if type(error) is click.UsageError:
        # A surplus argument, which Click shows, and which may be a secret. All else is of a type of its own.
        return "Got an unexpected argument, which is not shown: the tap takes options alone, see --help."
    return " ".join(error.format_message().split())


def _end(signum: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + signum)


if __name__ == "__main__":
    main()
