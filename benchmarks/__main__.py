"""Runs the benchmarks: `python -m benchmarks [--toy] [--only NAME]…`."""

from __future__ import annotations

import argparse
import importlib
import os
import platform

NAMES = ("paced", "many", "heavy", "template", "growth", "start_up")


def main() -> None:
    """Run the benchmarks that are named, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the tap, as ratios in one run.")
    parser.add_argument("--only", action="append", choices=NAMES, help="may be given several times")
    parser.add_argument("--toy", action="store_true", help="run everything at a tiny size; the figures mean nothing")
    options = parser.parse_args()
    print(f"Python {platform.python_version()} on {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    for name in options.only or NAMES:
        importlib.import_module(f"benchmarks.{name}").main(toy=options.toy)


if __name__ == "__main__":
    main()
