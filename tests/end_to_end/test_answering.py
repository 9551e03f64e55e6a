"""The recipe for an erasure in `docs/answering-a-request.md` works as printed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from textwrap import dedent

import pytest

from sandbox import ERASE_PATH, Sandbox

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
