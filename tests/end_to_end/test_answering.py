"""The recipes in `docs/answering-a-request.md` work as printed: for an erasure, for a PDF and for its password."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from textwrap import dedent

import pytest

from sandbox import ERASE_PATH, Sandbox
from tests.end_to_end.test_documentation import section
from tests.report.building import JANE, found, run_report, singer_lines

PAGE = Path(__file__).parents[2] / "docs" / "answering-a-request.md"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_asks_for_the_erasure_as_the_page_says() -> None:
    """One POST with the address in the query, encoded, and no body; Gong accepts it, and the data goes."""
    address = "pat.o'brien+events@example.net"
    recipe = re.search(r"\$ (curl --config - <<EOF\n.*?\n *EOF)\n", PAGE.read_text(), re.DOTALL)
    assert recipe
    script = dedent(f"   {recipe[1]}\n").replace("john.smith@example.com", address)
    with Sandbox(erase_after=0) as sandbox:
        done = subprocess.run(
            ["/bin/sh", "-eu", "-c", script.replace("https://api.gong.io", sandbox.url)],
            env={
                "PATH": "/usr/bin:/bin",
                "GONG_DELETE_KEY": sandbox.access_key,
                "GONG_DELETE_KEY_SECRET": sandbox.access_key_secret,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    (call,) = sandbox.calls

    assert f"https://api.gong.io{ERASE_PATH}" in script
    assert (done.returncode, call.method, call.address, call.status) == (0, "POST", address, 200)
    assert "content-length" not in call.headers
    assert re.fullmatch(r'\{"requestId": "\w+"\}', done.stdout)


@pytest.mark.skipif(
    not all(map(shutil.which, ("bash", "chromium", "qpdf", "pdfinfo"))), reason="Chromium, qpdf or Poppler is missing"
)
def test_a_page_becomes_a_tagged_pdf_with_a_password_as_the_page_says(tmp_path: Path) -> None:
    """The password is typed, may hold any letter of a keyboard, and is on no command line; without it nothing opens."""
    password = """2 words, "$HOME" `id` \\n 'x'"""
    run_report(tmp_path, "person", "--from", "-", "--draft", JANE, source=b"".join(singer_lines(found(JANE, emails=3))))
    recipes = re.findall(r"```console\n(.*?)```", section(PAGE, "### Paper"), re.DOTALL)
    script = re.sub("^\\$ ", "", "".join(recipes), flags=re.MULTILINE)
    if not os.geteuid():
        script = script.replace("chromium ", "chromium --no-sandbox ", 1)  # it refuses to run as root
    made = tmp_path / "made"
    done = subprocess.run(
        ["/bin/bash", "-eu", "-c", script],
        cwd=made,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        input=f"{password}\n".encode(),
        capture_output=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "Tagged:          yes" in info(made / "person.pdf")
    assert "Incorrect password" in info(made / "person-protected.pdf")
    assert "algorithm:AES-256" in info("-upw", password, made / "person-protected.pdf")


def info(*arguments: str | Path) -> str:
    """What `pdfinfo` says."""
    return subprocess.run(
        [str(shutil.which("pdfinfo")), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    ).stdout
