"""Serves the sandbox: `python -m sandbox --help`."""

import sys

from sandbox.server import main

sys.exit(main())
