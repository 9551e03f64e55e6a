"""The page about an erasure."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import htpy as h

from tap_gong_privacy.report.erasure import Erasure, Evidence, Finding, names_beside
from tap_gong_privacy.report.pages import html, texts
from tap_gong_privacy.report.rows.tables import STREAMS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tap_gong_privacy.report.model import LookUp
    from tap_gong_privacy.report.pages.html import Node

_PROVEN: Final = {Finding.ERASED}


def page(erasure: Erasure, digest: str) -> Iterator[bytes]:
    """Return the page, part by part.

    Args:
        erasure: The evidence.
        digest: The SHA-256 of the file with its rows.
    """
    has_many = len(erasure.evidence) > 1
    first = erasure.evidence[0]
    return html.page(
        f"{texts.ERASURE_KICKER}: {texts.FINDINGS[erasure.finding]}",
        html.head(
            texts.ERASURE_KICKER,
            texts.ERASURE_TITLE,
            h.p({"class": ["finding", "" if erasure.finding in _PROVEN else "open"]})[texts.FINDINGS[erasure.finding]],
            h.p(".lead")[texts.overall(len(erasure.evidence)) if has_many else _sentence(first)],
            html.facts(
                **{
                    texts.ERASURE_ADDRESS: h.ul(".plain")[(h.li[html.own_text(e.address)] for e in erasure.evidence)]
                    if has_many
                    else html.own_text(first.address),
                    texts.ASKED_AT: html.moment(erasure.asked_at),
                    **({} if has_many else {texts.GONG: _gong(first)}),
                    texts.MADE: html.moment(erasure.made_at),
                }
            ),
        ),
        (_evidence(number, evidence, has_many=has_many) for number, evidence in enumerate(erasure.evidence, 1)),
        html.section("proves", texts.PROVES, html.bullets(texts.PROVES_LINES)),
        html.section("file", texts.THE_FILE, h.p[texts.THE_FILE_TEXT], h.p(".hash")[digest]),
    )


def _gong(evidence: Evidence) -> Node:
    return html.own_text(evidence.api_url) if evidence.api_url else html.nothing(texts.URL_NOT_RECORDED)


def _sentence(evidence: Evidence) -> str:
    return texts.finding(evidence.finding, _what(evidence.after) if evidence.after else ())


def _what(look_up: LookUp) -> Sequence[str]:
    held = [
        texts.count(number, *texts.STREAM_NOUNS[stream]) for stream in STREAMS if (number := look_up.counts[stream])
    ]
    if None in look_up.counts.values():
        held.append(texts.STILL_UNCOUNTED)
    return [*held, *([texts.STILL_BESIDE] if look_up.undocumented or not held else [])]


def _evidence(number: int, evidence: Evidence, *, has_many: bool) -> Node:
    anchor = f"evidence-{number}"
    parts = [
        html.section(f"{anchor}-answers", texts.BEFORE_AND_AFTER, _before_and_after(evidence), is_inner=has_many),
        html.section(f"{anchor}-look-ups", texts.EVERY_LOOK_UP, _look_ups(evidence.look_ups), is_inner=has_many),
    ]
    if evidence.elsewhere:
        text = h.p[texts.ELSEWHERE_TEXT]
        others = _look_ups(evidence.elsewhere)
        parts.append(html.section(f"{anchor}-elsewhere", texts.ELSEWHERE, text, others, is_inner=has_many))
    if not has_many:
        return parts
    return html.section(
        anchor,
        html.own_text(evidence.address),
        h.p[h.strong[texts.FINDINGS[evidence.finding]], ". ", _sentence(evidence)],
        h.p(".soft")[texts.GONG, ": ", _gong(evidence)],
        parts,
    )


def _before_and_after(evidence: Evidence) -> Node:
    shown: list[tuple[str, Callable[[LookUp], Node]]] = [
        (texts.LOOKED_UP, lambda look_up: html.moment(look_up.at)),
        (texts.STATUS, lambda look_up: texts.status(look_up.status)),
        (texts.HTTP_STATUS, lambda look_up: _number(look_up.http_status)),
        (texts.REQUEST_ID, lambda look_up: html.identifier(look_up.request_id)),
        *((texts.STREAMS[stream], partial(_count, stream)) for stream in STREAMS),
        (texts.UNDOCUMENTED_FIELDS, lambda look_up: texts.fields_beside(*names_beside(look_up))),
    ]
    columns = (evidence.before, evidence.after)
    return html.table(
        (texts.LOOK_UP, texts.BEFORE, texts.AFTER),
        (
            h.tr[
                h.th(scope="row")[name],
                (h.td[cell(look_up) if look_up else _none(is_first=not index)] for look_up in columns),
            ]
            for index, (name, cell) in enumerate(shown)
        ),
        stacks=False,
    )


def _none(*, is_first: bool) -> Node:
    return html.nothing(texts.NO_ANSWER_HERE if is_first else texts.DASH)


def _count(stream: str, look_up: LookUp) -> Node:
    return _number(look_up.counts[stream])


def _number(value: int | None) -> Node:
    return html.nothing(texts.UNKNOWN) if value is None else texts.number(value)


def _look_ups(look_ups: Sequence[LookUp]) -> Node:
    if not look_ups:
        return h.p[texts.NO_LOOK_UP]
    header = (
        texts.LOOKED_UP,
        texts.STATUS,
        texts.HTTP_STATUS,
        texts.ATTEMPTS,
        texts.ENTRIES,
        texts.REQUEST_ID,
        texts.GONG,
    )
    return html.table(
        header,
        (
            html.row(
                html.moment(look_up.at),
                texts.status(look_up.status),
                _number(look_up.http_status),
                _number(look_up.attempts),
                _total(look_up),
                html.identifier(look_up.request_id),
                html.own_text(look_up.api_url) if look_up.api_url else html.nothing(texts.URL_NOT_RECORDED),
            )
            for look_up in look_ups
        ),
    )


def _total(look_up: LookUp) -> Node:
    if not look_up.is_answer:
        return html.nothing(texts.NO_ANSWER_HERE)
    counts = look_up.counts.values()
    return _number(None if None in counts else sum(count or 0 for count in counts))
