"""The evidence of an erasure: the answers before and after, and what they prove."""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from tap_gong_privacy.gong.json_text import is_plain
from tap_gong_privacy.report.look_ups import masked
from tap_gong_privacy.report.model import Assessment, Result, Standing, lines
from tap_gong_privacy.report.request import Request, made_by
from tap_gong_privacy.report.rows.masking import Masker
from tap_gong_privacy.report.rows.tables import STREAMS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from tap_gong_privacy.report.look_ups import LookUp

_encoder: Final = msgspec.json.Encoder(order="sorted")
_TAKES: Final = timedelta(days=1)
"""How long an erasure may take at Gong."""
NOT_NAMED: Final = frozenset({"meetings", "customer_engagement"})
"""The streams that Gong's documentation does not name as erased."""
_NOT_SINCE: Final = "no answer that counts since the erasure was asked for. Look up again, and load the result."
_ELSEWHERE: Final = (
    "a look-up under another api_url found data since the erasure was asked for. If that is another Gong, ask for the "
    "erasure there too; if it is the same Gong, name it with --api-url."
)


class Finding(enum.Enum):
    """What the look-ups show about one address. The value is its name in every report and in `docs/sql`."""

    ERASED = "erased"
    ERASED_IN_PART = "erased, except for what Gong does not name as erased"
    NOTHING_KNOWN_BEFORE = "nothing known from before"
    NOT_LOOKED_UP_SINCE = "not looked up since"
    TOO_EARLY = "too early to say"
    STILL_HELD = "still held"


_FURTHEST_FROM_PROOF: Final = (
    Finding.STILL_HELD,
    Finding.TOO_EARLY,
    Finding.NOT_LOOKED_UP_SINCE,
    Finding.NOTHING_KNOWN_BEFORE,
    Finding.ERASED_IN_PART,
    Finding.ERASED,
)


@dataclass(frozen=True)
class Evidence:
    """What is known about one address.

    Attributes:
        standing: What its look-ups say.
        asked_at: When the erasure was asked for.
    """

    standing: Standing
    asked_at: datetime

    @property
    def address(self) -> str:
        """The address."""
        return self.standing.address

    @property
    def _answers_before(self) -> list[LookUp]:
        return [look_up for look_up in self.standing.sound if look_up.at and look_up.at <= self.asked_at]

    @property
    def before(self) -> LookUp | None:
        """The latest answer from before that the finding rests on.

        It is the latest that held what Gong names as erased, else the latest that held anything, else the latest.
        """
        newest_first = self._answers_before[::-1]
        return next(
            (one for one in newest_first if _holds_more(one)),
            next((one for one in newest_first if one.holds_something), newest_first[0] if newest_first else None),
        )

    @property
    def latest_before(self) -> LookUp | None:
        """The latest answer from before, if it is later than `before`: it held less already."""
        latest = self._answers_before[-1:]
        return latest[0] if latest and latest[0] is not self.before else None

    @property
    def after(self) -> LookUp | None:
        """The latest answer since."""
        answer = self.standing.answer
        return answer if answer and answer.at and answer.at > self.asked_at else None

    @property
    def gone(self) -> LookUp | None:
        """The latest answer that did not hold what `after` holds, if none from before held it later."""
        after = self.after
        since = [one for one in self.standing.sound if one.at and one.at > self.asked_at and one is not after]
        lacks_more = after is not None and _holds_more(after)
        return next(
            (
                one
                for one in reversed([*self._answers_before[-1:], *since])
                if not (_holds_more(one) if lacks_more else one.holds_something)
            ),
            None,
        )

    @property
    def waited(self) -> timedelta | None:
        """How long after the asking the answer came."""
        return self.after.at - self.asked_at if self.after and self.after.at else None

    @property
    def elsewhere(self) -> LookUp | None:
        """The latest look-up under another base URL that found data after the erasure was asked for."""
        since = [one for one in self.standing.held_elsewhere if one.at and one.at > self.asked_at]
        return since[-1] if since else None

    @property
    def finding(self) -> Finding:
        """What the answers show."""
        after = self.after
        if after is None:
            return Finding.NOT_LOOKED_UP_SINCE
        if still := self.still_held:
            return Finding.TOO_EARLY if still.at and still.at - self.asked_at < _TAKES else Finding.STILL_HELD
        if self.standing.is_doubtful(after.at):
            return Finding.NOT_LOOKED_UP_SINCE
        if after.holds_something:
            return Finding.ERASED_IN_PART
        return Finding.ERASED if self.before and self.before.holds_something else Finding.NOTHING_KNOWN_BEFORE

    @property
    def still_held(self) -> LookUp | None:
        """The look-up since that shows that data is still held which an erasure should have removed."""
        if self.elsewhere:
            return self.elsewhere
        after = self.after
        held_more = self.before is not None and _holds_more(self.before)
        # Meetings and engagement events alone may be what is left of more. If there never was more, nothing was erased.
        is_left = after is not None and after.holds_something and (_holds_more(after) or not held_more)
        return after if is_left else None


def _holds_more(look_up: LookUp) -> bool:
    """Return whether an answer holds anything that Gong names as erased, or that the row does not tell."""
    if not look_up.holds_something:
        return False
    rest = [count for stream, count in look_up.counts.items() if stream not in NOT_NAMED]
    is_told = None not in look_up.counts.values() and look_up.undocumented is not None and not look_up.is_traceless
    return any(rest) or bool(look_up.undocumented) or not is_told


@dataclass(frozen=True)
class Erasure:
    """All that the report says.

    Attributes:
        assessment: What is known about each address.
        asked_at: When the erasure was asked for, as stated by who makes the report.
        request: What the controller says of the request.
        request_ids: Gong's ids of the erasure.
    """

    assessment: Assessment
    asked_at: datetime
    request: Request
    request_ids: Sequence[str] = ()

    @property
    def evidence(self) -> list[Evidence]:
        """What is known about each address."""
        return [Evidence(standing, self.asked_at) for standing in self.assessment.standings]

    @property
    def finding(self) -> Finding:
        """The finding over all addresses: the one that is furthest from a proof."""
        return min((evidence.finding for evidence in self.evidence), key=_FURTHEST_FROM_PROOF.index)

    @property
    def gaps(self) -> list[str]:
        """Why the evidence is not complete, one line for each reason."""
        assessment = self.assessment
        gaps = [*assessment.general_reasons, *lines(self._reasons(), len(assessment.standings))]
        if assessment.missing and any(evidence.after for evidence in self.evidence):
            columns = ", ".join(assessment.missing)
            gaps.append(f"The stream lookups was loaded without {columns}. Select what is missing, and load again.")
        if number := assessment.others_with_data:
            spellings = "other spelling" if number == 1 else "other spellings"
            gaps.append(
                f"Data is held, or may be held, under {number:,} {spellings} of these addresses in the tables. Name "
                "every spelling of the person, and ask Gong to erase each."
            )
        return gaps

    def _reasons(self) -> Iterator[tuple[int, str]]:
        for place, evidence in enumerate(self.evidence, 1):
            standing = evidence.standing
            if standing.result is Result.NEVER_ASKED:
                yield from ((place, reason) for reason in standing.reasons)
                continue
            if evidence.after is None:
                yield place, _NOT_SINCE
            yield from ((place, reason) for reason in standing.doubtful)
            if evidence.elsewhere:
                yield place, _ELSEWHERE


def evidence(
    assessment: Assessment, asked_at: datetime, request: Request | None = None, request_ids: Sequence[str] = ()
) -> Erasure:
    """Put the evidence together.

    Args:
        assessment: What is known about each address.
        asked_at: When the erasure was asked for.
        request: What the controller says of the request.
        request_ids: Gong's ids of the erasure.

    Returns:
        The evidence, in which texts that may hold somebody's address are masked.
    """
    masker = Masker([standing.address for standing in assessment.standings])
    standings = [_masked(standing, masker) for standing in assessment.standings]
    return Erasure(replace(assessment, standings=standings), asked_at, request or Request(), request_ids)


def _masked(standing: Standing, masker: Masker) -> Standing:
    copies = {id(one): masked(one, masker) for one in (*standing.look_ups, *standing.elsewhere)}
    return replace(
        standing,
        look_ups=[copies[id(one)] for one in standing.look_ups],
        sound=[copies[id(one)] for one in standing.sound],
        elsewhere=[copies[id(one)] for one in standing.elsewhere],
        answer=standing.answer and copies[id(standing.answer)],
        latest=standing.latest and copies[id(standing.latest)],
    )


def names_beside(look_up: LookUp) -> tuple[list[str], int] | None:
    """Return the names of an answer's undocumented fields, and how many more there are that must not be shown.

    None means that they were not loaded.
    """
    if look_up.undocumented is None:
        return None
    names = [name for name in look_up.undocumented if is_plain(name)]
    return names, len(look_up.undocumented) - len(names)


def as_json(erasure: Erasure) -> bytes:
    """Return the look-ups as canonical JSON: names sorted, no spaces, UTF-8. Nothing of the person but the address."""
    return _encoder.encode(
        {
            "api_urls": erasure.assessment.api_urls,
            "asked_at": erasure.asked_at,
            "erasure_request_ids": erasure.request_ids,
            "made_at": erasure.assessment.made_at,
            "made_by": made_by(),
            "reference": erasure.request.reference or None,
            "received": erasure.request.received or None,
            "is_complete": not erasure.gaps,
            "finding": erasure.finding.value,
            "other_spellings": len(erasure.assessment.others),
            "addresses": [
                {
                    "email_address": evidence.address,
                    "finding": evidence.finding.value,
                    "before": evidence.before and _row(evidence.before),
                    "after": evidence.after and _row(evidence.after),
                    "look_ups": [_row(look_up) for look_up in evidence.standing.look_ups],
                    "look_ups_elsewhere": [_row(look_up) for look_up in evidence.standing.elsewhere],
                }
                for evidence in erasure.evidence
            ],
        }
    )


def digest(content: bytes) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _row(look_up: LookUp) -> Mapping[str, object]:
    names, hidden = names_beside(look_up) or (None, None)
    return {
        "email_address": look_up.address,
        "looked_up_at": look_up.at,
        "status": look_up.status,
        "http_status": look_up.http_status,
        "request_id": look_up.request_id,
        "attempts": look_up.attempts,
        "api_url": look_up.api_url,
        **{f"{stream}_count": look_up.counts[stream] for stream in STREAMS},
        "undocumented_fields": names,
        "undocumented_fields_not_named": hidden,
    }
