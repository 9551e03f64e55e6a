"""`make demo` and `make playground` do what they print."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.pipeline import CHECKOUT, PLUGINS

pytestmark = pytest.mark.skipif(
    not (PLUGINS / ".complete").exists(), reason="Meltano is not set up: `make test` does so"
)


def test_demo_ends_with_the_reports() -> None:
    """It loads, erases, looks again, and the folder that it names last holds the three pages."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.demo"], cwd=CHECKOUT, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    named = re.fullmatch(r"Reports: open (.+)/person\.html, .+", done.stdout.splitlines()[-1])
    assert named
    folder = Path(named[1])
    pages = {path.name for path in folder.iterdir()}
    shutil.rmtree(folder)

    assert pages >= {"person.html", "erasure.html", "coverage.html"}
    before, after = re.findall(r"^  20\d\d-.* found +(\d+) +(\d+) +\d+ +(\d+) ", done.stdout, re.MULTILINE)
    assert all(int(count) for count in before)
    assert after == ("0", "0", "0")


def test_playground_serves_what_it_prints(tmp_path: Path) -> None:
    """The settings and the commands for psql, curl and the report work when pasted; a signal ends it all."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.playground"], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        printed = []
        for line in process.stdout:
            printed.append(line.strip())
            if line.startswith("Ctrl-C"):
                break
        exports = [line for line in printed if line.startswith("export ")]
        outputs = [
            pasted(exports, next(line for line in printed if part in line), tmp_path)
            for part in ("person.sql", "gong-privacy-report", "curl")
        ]
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)

    assert "data held" in outputs[0]
    assert [path.suffix for path in sorted(tmp_path.rglob("person.*"))] == [".html", ".json"]
    assert re.fullmatch(r'\{"requestId": "\w+"\}', outputs[2])
    assert process.returncode == 128 + signal.SIGTERM


def pasted(exports: list[str], command: str, folder: Path) -> str:
    """What a shell prints in which a command is run after the settings."""
    absolute = command.replace("docs/sql", str(CHECKOUT / "docs" / "sql")).replace(
        ".venv/bin", str(Path(sys.executable).parent)
    )
    done = subprocess.run(
        ["/bin/sh", "-eu"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
        input="\n".join([*exports, absolute]),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
