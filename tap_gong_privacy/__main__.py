"""The command `tap-gong-privacy`."""

from __future__ import annotations

import sys

import click

from tap_gong_privacy import privacy
from tap_gong_privacy.output import Interruption
from tap_gong_privacy.tap import TapGongPrivacy


def main() -> None:
    """Run the command. What the user can mend is one line on stderr; nothing is a traceback."""
    privacy.guard_stderr()
    Interruption().install()
    command = TapGongPrivacy.cli
    privacy.silence_libraries()
    try:
        code = command.main(prog_name=TapGongPrivacy.name, standalone_mode=False)
    except click.ClickException as error:
        click.echo(f"Error: {' '.join(error.format_message().split())}", file=sys.stderr)
        code = error.exit_code
    except click.Abort:
        code = 130
    except Exception as error:  # noqa: BLE001 - no traceback may quote an address or a secret
        click.echo(f"Error of the tap's own, please report it: {privacy.describe(error)}", file=sys.stderr)
        code = 1
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
