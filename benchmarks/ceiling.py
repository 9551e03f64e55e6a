"""The sandbox's ceiling: makes the same calls with the standard library, and throws the answers away."""

import base64
import json
import sys
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit


def read(config: dict[str, Any], waiting: Iterator[str]) -> None:
    """Read answers until no address is left. All threads share `waiting`."""
    connection = HTTPConnection(urlsplit(config["api_url"]).netloc)
    pair = f"{config['access_key']}:{config['access_key_secret']}"
    headers = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    for address in waiting:
        path = f"/v2/data-privacy/data-for-email-address?emailAddress={quote(address)}"
        connection.request("GET", path, headers=headers)
        connection.getresponse().read()


if __name__ == "__main__":
    settings = json.loads(Path(sys.argv[sys.argv.index("--config") + 1]).read_text(encoding="utf-8"))
    shared = (settings, iter(settings["email_addresses"]))
    for _ in range(settings["max_concurrency"]):
        threading.Thread(target=read, args=shared).start()
