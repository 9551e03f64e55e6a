"""Logs what is unusual in Gong's answers, each thing once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_gong_privacy.gong.json_text import is_plain

if TYPE_CHECKING:
    import logging

    from tap_gong_privacy.gong.outcomes import Outcome

_SHOWN_NAMES = 20


class Notices:
    """Logs what is unusual in Gong's answers, each thing once."""

    def __init__(self, logger: logging.Logger | logging.LoggerAdapter[logging.Logger]) -> None:
        """Initialize the notices.

        Args:
            logger: The logger.
        """
        self._logger = logger
        self._shown: set[str] = set()
        self._not_shown = 0
        self._is_repair_said = False

    def take(self, outcome: Outcome) -> None:
        """Log the undocumented top-level fields of an answer, and that characters in it were replaced."""
        for name in outcome.undocumented:
            self.undocumented(name)
        if outcome.is_repaired and not self._is_repair_said:
            self._is_repair_said = True
            self._logger.warning(
                "Gong returned characters that no target can store (NUL, lone surrogates); they are replaced by U+2400 "
                "and U+FFFD",
            )

    def undocumented(self, name: str) -> None:
        """Log the name of an undocumented field. Only count a name that could be an address."""
        if name in self._shown:
            return
        if len(self._shown) == _SHOWN_NAMES or not is_plain(name):
            self._not_shown += 1
            return
        self._shown.add(name)
        self._logger.warning("Gong returned a field that its documentation does not list; it is kept: %s", name)

    def close(self) -> None:
        """Log how many undocumented fields were only counted."""
        if self._not_shown:
            self._logger.warning(
                "Gong returned undocumented fields %d times under other names, which are not shown; they are kept",
                self._not_shown,
            )
