"""Base URLs of Gong: which texts are one, and the one spelling by which they are compared."""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


def is_base_url(text: str) -> bool:
    """Return whether a text is a base URL: `https`, or `http` for a loopback host, and no user, query or fragment."""
    if set(text) & set("@?#\\") or re.search(r"[\s\x00-\x1f\x7f-\x9f\ud800-\udfff]", text):
        return False
    # The report, which has little use for it, need not wait for its import.
    from requests import Request  # noqa: PLC0415

    try:
        url = urlsplit(text)
        host, _ = url.hostname, url.port
        # The host name as requests will ask for it. A name that DNS cannot encode is a mistake in the setting.
        (urlsplit(Request("GET", text).prepare().url or "").hostname or "").encode("idna")
    except ValueError:
        return False
    return bool(host) and (url.scheme == "https" or (url.scheme == "http" and _is_loopback(host or "")))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def normalized(base_url: str) -> str:
    """Return a base URL in the one spelling by which two are compared, and any other text as it is."""
    text = base_url.strip()
    try:
        url = urlsplit(text)
        host, number = url.hostname or "", url.port
    except ValueError:
        return text
    if url.scheme not in _DEFAULT_PORTS or not host or set(text) & set("@?#"):
        return text
    port = "" if number in {None, _DEFAULT_PORTS[url.scheme]} else f":{number}"
    return f"{url.scheme}://{f'[{host}]' if ':' in host else host}{port}{url.path.rstrip('/')}"
