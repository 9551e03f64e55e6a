"""What several test modules share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

settings.register_profile(
    "default",
    max_examples=100,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile("thorough", settings.get_profile("default"), max_examples=10_000, derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox without limits."""
    with Sandbox(requests_per_second=0) as unlimited:
        yield unlimited
