"""The command `gong-privacy-report`."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from tap_gong_privacy import privacy
from tap_gong_privacy.errors import ConfigError

if TYPE_CHECKING:
    from types import FrameType

# Click's other messages quote what was given, which may be an address.
_SHOWN = (ConfigError, click.NoSuchOption, click.MissingParameter, click.BadOptionUsage)


def main() -> None:
    """Run the command. Report the user's errors as one line on stderr. Never print a traceback."""
    _catch_signals()
    privacy.guard_stderr()
    try:
        from tap_gong_privacy.report.cli import command  # noqa: PLC0415  the extra may be missing

        code = command.main(prog_name="gong-privacy-report", standalone_mode=False)
        if sys.stdout is not None:  # the process may have begun with it closed
            sys.stdout.flush()
    except ImportError as error:
        _say(f"the report needs the package {error.name}: install tap-gong-privacy[report].")
        code = 1
    except click.ClickException as error:
        _say(_message(error))
        code = error.exit_code
    except click.Abort:
        code = 130
    except OSError as error:
        code = _end_output(error)
    except Exception as error:  # noqa: BLE001  no traceback may quote an address or a secret
        _say(f"the report failed unexpectedly. Please report this: {privacy.describe(error)}")
        code = 1
    sys.exit(code if isinstance(code, int) else 0)


def _catch_signals() -> None:
    for signum in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        # Whoever starts the process may have it ignore a signal, as nohup does.
        if signal.getsignal(signum) is not signal.SIG_IGN:
            signal.signal(signum, _end)


def _end_output(error: OSError) -> int:
    """Say that standard output cannot be written. Files have words of their own for this."""
    reason = (error.strerror or type(error).__name__).lower()
    _say(f"Standard output cannot be written ({reason}). A report that was made is in its folder.")
    # Otherwise Python would write what is left once more at the end, and complain in its own words.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return 1


def _message(error: click.ClickException) -> str:
    if isinstance(error, click.BadParameter) and error.param:
        return f"{error.param.opts[0]} does not take this value: see --help."
    if not isinstance(error, _SHOWN):
        return "Got an unexpected argument or command, which is not shown: see --help."
    return " ".join(error.format_message().split())


def _say(reason: str) -> None:
    click.echo(f"Error: {reason}", file=sys.stderr)


def _end(signum: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + signum)


if __name__ == "__main__":
    main()
