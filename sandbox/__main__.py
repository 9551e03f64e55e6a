"""The command: `python -m sandbox --help`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, NoReturn

from sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT arrives, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="A stand-in for Gong on loopback.")
    add = parser.add_argument
    add("--port", type=int, default=0, help="TCP port (default: a free one)")
    add("--requests-per-second", type=int, default=3, metavar="N", help="0: no limit (default: 3)")
    add("--daily-quota", type=int, default=10_000, metavar="N", help="0: no limit (default: 10000)")
    add("--delay", type=float, default=0, metavar="SECONDS", help="wait before each answer")
    add("--answer-size", type=int, default=0, metavar="N", help="e-mails in each answer")
    add("--fail-every", type=int, default=0, metavar="N", help="answer each Nth call with 500")
    add("--erase-after", type=float, default=1, metavar="SECONDS", help="from an erasure request until it takes effect")
    add("--no-compress", dest="compress", action="store_false", help="never gzip an answer")
    options = vars(parser.parse_args(arguments))
    if any(value < 0 for value in options.values()):
        parser.error("numbers must not be negative")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    try:
        with Sandbox(**options) as sandbox:
            secrets = f"{sandbox.access_key_secret} access_token={sandbox.access_token}"
            sys.stdout.write(
                f"Sandbox: api_url={sandbox.url} access_key={sandbox.access_key}"
                f" access_key_secret={secrets}\nStop it with Ctrl-C, or: kill {os.getpid()}\n"
            )
            sys.stdout.flush()
            while True:
                time.sleep(1)
    except KeyboardInterrupt:
        return 0
    except (OSError, OverflowError) as error:
        parser.exit(1, f"Cannot serve on port {options['port']}: {error}\n")


def _interrupt(*_: object) -> NoReturn:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # a second signal must not interrupt the shutdown
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
