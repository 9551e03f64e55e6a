"""Runs the benchmarks: `python -m benchmarks [--toy] [--only NAME]…`."""

from __future__ import annotations

import argparse
import importlib
import os
import platform

NAMES = ("paced", "many", "heavy", "template", "growth", "start_up")


def main() -> None:
    """Run those that are named, else all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the tap, as ratios in one run.")
    parser.add_argument("--only", action="append", choices=NAMES, help="may be given several times")
    parser.add_argument("--toy", action="store_true", help="so small that the figures say nothing, but all is run")
    options = parser.parse_args()
    print(f"Python {platform.python_version()} on {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    for name in options.only or NAMES:
        importlib.import_module(f"benchmarks.{name}").main(toy=options.toy)


if __name__ == "__main__":
    main()
