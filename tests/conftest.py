"""What several test modules share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox without limits."""
    with Sandbox(requests_per_second=0) as unlimited:
        yield unlimited
