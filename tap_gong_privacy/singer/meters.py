"""METRIC lines about Gong's calls, as the SDK's own HTTP taps write them."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from singer_sdk import metrics

from tap_gong_privacy.singer.schemas import LOOKUPS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_gong_privacy.round.progress import Calls


class CallMeter:
    """Writes how many calls there were by HTTP status, and how long one took on average, at the SDK's interval."""

    def __init__(self, read: Callable[[], Calls], *, clock: Callable[[], float] = time.monotonic) -> None:
        """Initialize the meter.

        Args:
            read: Returns a copy of the calls so far.
            clock: Returns monotonic seconds.
        """
        self._read = read
        self._clock = clock
        self._written = read()
        self._last = clock()

    def tick(self) -> None:
        """Write the METRIC lines if it is time to."""
        if self._clock() - self._last >= metrics.DEFAULT_LOG_INTERVAL:
            self.write()

    def write(self) -> None:
        """Write the METRIC lines about the calls since the last ones. Neither a URL nor an address is in their tags."""
        self._last = self._clock()
        calls, written = self._read(), self._written
        self._written = calls
        if calls.total == written.total:
            return
        logger = metrics.get_metrics_logger()
        tags: dict[str, object] = {metrics.Tag.STREAM: LOOKUPS, metrics.Tag.PID: os.getpid()}
        for status, count in (calls.by_status - written.by_status).items():
            by_status: dict[str, object] = {**tags, metrics.Tag.HTTP_STATUS_CODE: "none" if status is None else status}
            metrics.log(logger, metrics.Point("counter", metrics.Metric.HTTP_REQUEST_COUNT, count, by_status))
        mean = (calls.seconds - written.seconds) / (calls.total - written.total)
        metrics.log(logger, metrics.Point("timer", metrics.Metric.HTTP_REQUEST_DURATION, round(mean, 6), tags))
