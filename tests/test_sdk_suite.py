"""Runs the Singer SDK's own tests of a tap against the sandbox."""

from __future__ import annotations

import contextlib
import copy
import signal
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.testing import get_tap_test_class

from sandbox import EXAMPLE_ADDRESS, EXAMPLE_ANSWER, Reply, Sandbox
from tap_gong_privacy.tap import TapGongPrivacy

if TYPE_CHECKING:
    from collections.abc import Iterator

# The SDK makes its test class while tests are collected; the sandbox's URL is filled in when they run.
CONFIG: dict[str, Any] = {
    "api_url": "http://127.0.0.1:1",
    "access_token": "sandbox-token",
    "email_addresses": [EXAMPLE_ADDRESS, "jane@example.com", "unknown@example.com"],
    "requests_per_second": 1000,
}


@contextlib.contextmanager
def kept_signals() -> Iterator[None]:
    """Give pytest back its own signal handlers: a tap takes them when it is made."""
    kept = {signum: signal.getsignal(signum) for signum in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for signum, handler in kept.items():
            signal.signal(signum, handler)


def unfamiliar() -> Reply:
    """Return the documented example with an undocumented field on each level: no column stays without a value."""
    answer = copy.deepcopy(EXAMPLE_ANSWER)
    for section in answer.values():
        if isinstance(section, list):
            section[0]["newField"] = 1
    return Reply(body={**answer, "newField": 1})


with kept_signals():
    _StandardTests: Any = get_tap_test_class(TapGongPrivacy, config=CONFIG, parse_env_config=False)


@pytest.fixture(scope="module", autouse=True)
def sandbox() -> Iterator[Sandbox]:
    """The sandbox that all tests ask."""
    with kept_signals(), Sandbox(requests_per_second=0, answers={EXAMPLE_ADDRESS: unfamiliar()}) as unlimited:
        CONFIG["api_url"] = unlimited.url
        yield unlimited


class TestTapGongPrivacy(_StandardTests):  # type: ignore[misc]
    """The standard suite: discovery, connection, and each stream's records against its schema."""


def test_the_suite_has_asked_the_sandbox(sandbox: Sandbox) -> None:
    """The suite's tests have judged real answers: each address was asked, and answered."""
    assert {call.address for call in sandbox.calls} == set(CONFIG["email_addresses"])
    assert {call.status for call in sandbox.calls} == {200}
