"""The evidence of an erasure: the answers before and after, and what they prove."""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from tap_gong_privacy.gong.json_text import is_plain
from tap_gong_privacy.report.gaps import Gap, Reason
from tap_gong_privacy.report.model import FOUND, Loaded, LookUp
from tap_gong_privacy.report.rows.tables import STREAMS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

_encoder: Final = msgspec.json.Encoder(order="sorted")


class Finding(enum.Enum):
    """What the look-ups show about one address."""

    ERASED = "erased"
    STILL_HELD = "still held"
    NOT_LOOKED_UP_SINCE = "not looked up since"
    NOTHING_KNOWN_BEFORE = "nothing known from before"


@dataclass(frozen=True)
class Evidence:
    """What is known about one address.

    Attributes:
        address: The address.
        api_url: Which Gong the evidence is about; None where no look-up says so.
        before: The latest answer up to the time at which the erasure was asked for.
        after: The latest answer since.
        look_ups: Every look-up of the address at this Gong, oldest first.
        elsewhere: Those of other Gongs, or of a Gong that is not known, which are no evidence.
    """

    address: str
    api_url: str | None
    before: LookUp | None
    after: LookUp | None
    look_ups: Sequence[LookUp]
    elsewhere: Sequence[LookUp]

    @property
    def finding(self) -> Finding:
        """What the answers show."""
        if self.after is None:
            return Finding.NOT_LOOKED_UP_SINCE
        if self.after.holds_something:
            return Finding.STILL_HELD
        if self.before and self.before.holds_something:
            return Finding.ERASED
        return Finding.NOTHING_KNOWN_BEFORE


@dataclass(frozen=True)
class Erasure:
    """All that the page says.

    Attributes:
        evidence: What is known about each address.
        asked_at: When the erasure was asked for.
        made_at: When the page was made.
    """

    evidence: Sequence[Evidence]
    asked_at: datetime
    made_at: datetime

    @property
    def finding(self) -> Finding:
        """The finding over all addresses: the one that is furthest from a proof."""
        order = (Finding.STILL_HELD, Finding.NOT_LOOKED_UP_SINCE, Finding.NOTHING_KNOWN_BEFORE, Finding.ERASED)
        return min((evidence.finding for evidence in self.evidence), key=order.index)

    @property
    def gaps(self) -> list[Gap]:
        """The addresses without an answer since the erasure was asked for."""
        return [
            Gap(Reason.NOT_SINCE if evidence.look_ups else Reason.NEVER_ASKED, (place,), len(self.evidence))
            for place, evidence in enumerate(self.evidence, 1)
            if evidence.after is None
        ]


def evidence(addresses: Sequence[str], loaded: Loaded, asked_at: datetime, made_at: datetime) -> Erasure:
    """Put the evidence together.

    Args:
        addresses: The addresses whose erasure was asked for.
        loaded: Their look-ups.
        asked_at: When it was asked for.
        made_at: When the page is made.

    Returns:
        The evidence.
    """
    return Erasure([_evidence(address, loaded.look_ups, asked_at) for address in addresses], asked_at, made_at)


def _evidence(address: str, look_ups: Sequence[LookUp], asked_at: datetime) -> Evidence:
    own = [look_up for look_up in look_ups if look_up.address == address]
    api_url = _gong_of(own, asked_at)
    # A look-up of an earlier version does not say which Gong it asked: it counts only if there is no more than one.
    is_only_gong = len({look_up.api_url for look_up in own if look_up.api_url}) <= 1
    here = [look_up for look_up in own if look_up.api_url == api_url or (is_only_gong and not look_up.api_url)]
    answers = [look_up for look_up in here if look_up.is_answer]
    before = [look_up for look_up in answers if look_up.at <= asked_at]
    after = [look_up for look_up in answers if look_up.at > asked_at]
    return Evidence(
        address=address,
        api_url=api_url,
        before=before[-1] if before else None,
        after=after[-1] if after else None,
        look_ups=here,
        elsewhere=[look_up for look_up in own if look_up not in here],
    )


def _gong_of(look_ups: Sequence[LookUp], asked_at: datetime) -> str | None:
    """Return the Gong that the erasure is about: the one that held something before, else the latest that answered."""
    known = [look_up for look_up in look_ups if look_up.api_url]
    before = [look_up for look_up in known if look_up.at <= asked_at]
    candidates = (
        [look_up for look_up in before if look_up.status == FOUND],
        [look_up for look_up in before if look_up.is_answer],
        [look_up for look_up in known if look_up.is_answer],
        known,
    )
    return next((found[-1].api_url for found in candidates if found), None)


def names_beside(look_up: LookUp) -> tuple[list[str], int]:
    """Return the names of an answer's undocumented fields, and how many more there are that must not be shown."""
    names = [name for name in look_up.undocumented if is_plain(name)]
    return names, len(look_up.undocumented) - len(names)


def as_json(erasure: Erasure) -> bytes:
    """Return the look-ups as canonical JSON: names sorted, no spaces, UTF-8. Nothing of the person but the address."""
    return _encoder.encode(
        {
            "asked_at": erasure.asked_at,
            "made_at": erasure.made_at,
            "finding": erasure.finding.value,
            "addresses": [
                {
                    "email_address": evidence.address,
                    "api_url": evidence.api_url,
                    "finding": evidence.finding.value,
                    "before": evidence.before and _row(evidence.before),
                    "after": evidence.after and _row(evidence.after),
                    "look_ups": [_row(look_up) for look_up in evidence.look_ups],
                    "look_ups_of_another_gong": [_row(look_up) for look_up in evidence.elsewhere],
                }
                for evidence in erasure.evidence
            ],
        }
    )


def digest(content: bytes) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _row(look_up: LookUp) -> Mapping[str, object]:
    names, hidden = names_beside(look_up)
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
