"""How close the tap comes to Gong's limit: 30 addresses of one second each, at 3 calls a second.

Run as `.venv/bin/python -m benchmarks.paced`. Ideal are 29/3 seconds from the first call to the last one, and one
second for its answer. Start-up is reported apart. By the sandbox's own record, which the tap does not see.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tap_gong_privacy.sandbox import Sandbox


def main() -> int:
    """Measure, print and return the tap's exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--addresses", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=1.0, help="how long each answer takes")
    parser.add_argument("--requests-per-second", type=int, default=3)
    options = parser.parse_args()
    pace = options.requests_per_second
    ideal = (options.addresses - 1) / pace + options.seconds
    with Sandbox(requests_per_second=pace, delay=options.seconds) as sandbox, tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "config.json")
        addresses = [f"person{number}@example.com" for number in range(options.addresses)]
        config.write_text(
            json.dumps({**sandbox.config, "email_addresses": addresses, "requests_per_second": pace}),
            encoding="utf-8",
        )
        began = time.monotonic()
        command = [sys.executable, "-m", "tap_gong_privacy", "--config", str(config)]
        tap = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)  # noqa: S603
        whole = time.monotonic() - began
        calls, gaps = sandbox.calls, sandbox.intervals()
    took = calls[-1].started + options.seconds - calls[0].started
    throttled = sum(call.status != 200 for call in calls)  # noqa: PLR2004
    print(f"calls        {len(calls)} for {options.addresses} addresses, {throttled} not answered with 200")
    print(f"closest      {min(gaps):.3f} s between two calls; the limit is {1 / pace:.3f} s")
    print(f"took         {took:.2f} s; ideal {ideal:.2f} s; ratio {took / ideal:.3f}")
    print(f"start-up     {calls[0].started - began:.2f} s until the first call; {whole:.2f} s for the whole process")
    return tap.returncode


if __name__ == "__main__":
    sys.exit(main())
