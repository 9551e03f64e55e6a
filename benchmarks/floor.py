"""The floor: makes the same calls with requests, and decodes and writes Singer lines with msgspec, nothing else.

It has no pace, retries, checks, keys, times in UTC or state, so no tap in Python can be faster.
"""

import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import requests

STREAMS = ("emails", "calls", "meetings", "customerData", "customerEngagement")


def look_up(config: dict[str, Any], waiting: Iterator[str], writing: threading.Lock) -> None:
    """Look up addresses until none is left. All threads share `waiting`."""
    session = requests.Session()
    session.auth = (config["access_key"], config["access_key_secret"])
    url = f"{config['api_url']}/v2/data-privacy/data-for-email-address"
    encode, write = msgspec.json.Encoder().encode, sys.stdout.buffer.write
    for address in waiting:
        answer = msgspec.json.decode(session.get(url, params={"emailAddress": address}).content)
        with writing:
            for stream in STREAMS:
                for element in answer[stream]:
                    record = {**element, "email_address": address}
                    write(encode({"type": "RECORD", "stream": stream, "record": record}) + b"\n")
            write(encode({"type": "RECORD", "stream": "lookups", "record": {"email_address": address}}) + b"\n")


if __name__ == "__main__":
    settings = json.loads(Path(sys.argv[sys.argv.index("--config") + 1]).read_text(encoding="utf-8"))
    shared = (settings, iter(settings["email_addresses"]), threading.Lock())
    for _ in range(settings["max_concurrency"]):
        threading.Thread(target=look_up, args=shared).start()
