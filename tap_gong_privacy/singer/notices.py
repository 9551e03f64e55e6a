"""What is unusual in Gong's answers, said once each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging

    from tap_gong_privacy.gong.outcomes import Outcome

_SHOWN_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SHOWN_NAMES = 20


class Notices:
    """Says what is unusual in Gong's answers."""

    def __init__(self, logger: logging.Logger | logging.LoggerAdapter[logging.Logger]) -> None:
        """Initialize the notices.

        Args:
            logger: Where to say it.
        """
        self._logger = logger
        self._shown: set[str] = set()
        self._not_shown = 0
        self._is_repair_said = False

    def take(self, outcome: Outcome) -> None:
        """Say what is unusual in an answer as a whole."""
        for name in outcome.undocumented:
            self.undocumented(name)
        if outcome.is_repaired and not self._is_repair_said:
            self._is_repair_said = True
            self._logger.warning(
                "Gong returned characters that no target can store (NUL, lone surrogates); they are replaced by U+2400 "
                "and U+FFFD",
            )

    def undocumented(self, name: str) -> None:
        """Say that Gong returned a field that it does not document. The name itself may be an address."""
        if name in self._shown:
            return
        if len(self._shown) == _SHOWN_NAMES or not _SHOWN_NAME.fullmatch(name):
            self._not_shown += 1
            return
        self._shown.add(name)
        self._logger.warning("Gong returned a field that its documentation does not list; it is kept: %s", name)

    def close(self) -> None:
        """Say how many fields were not named."""
        if self._not_shown:
            self._logger.warning(
                "Gong returned undocumented fields %d times under other names, which are not shown; they are kept",
                self._not_shown,
            )
