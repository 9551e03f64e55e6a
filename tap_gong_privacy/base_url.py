"""Base URLs of Gong: which texts are one, and the one spelling by which they are compared."""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

import requests

_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


def is_base_url(text: str) -> bool:
    """Return whether a text is a base URL: `https`, or `http` for a loopback host, and no user, query or fragment."""
    if set(text) & set("@?#\\") or re.search(r"[\s\x00-\x1f\x7f-\x9f\ud800-\udfff]", text):
        return False
    try:
        url = urlsplit(text)
        host, _ = url.hostname, url.port
        # The host name as requests will ask for it. A name that DNS cannot encode is a mistake in the setting.
        (urlsplit(requests.Request("GET", text).prepare().url or "").hostname or "").encode("idna")
    except ValueError:
        return False
    return bool(host) and (url.scheme == "https" or (url.scheme == "http" and _is_loopback(host or "")))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def normalized(base_url: str) -> str:
    """Return a base URL in the one spelling by which answers are compared.

    Args:
        base_url: A text for which `is_base_url` holds.
    """
    url = urlsplit(base_url)
    host = url.hostname or ""
    port = "" if url.port in {None, _DEFAULT_PORTS[url.scheme]} else f":{url.port}"
    return f"{url.scheme}://{f'[{host}]' if ':' in host else host}{port}{url.path.rstrip('/')}"
