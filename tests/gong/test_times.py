"""Times: every spelling ends in UTC, or is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from typing_extensions import override

from tap_gong_privacy.gong import times


@pytest.mark.parametrize(
    "text, expected",
    [
        ("2024-01-17T16:20:05-03:00", "2024-01-17T19:20:05Z"),
        ("2016-02-16T03:57:04.834+05:30", "2016-02-15T22:27:04.834000Z"),
        ("2020-11-20T21:30:07.233692Z", "2020-11-20T21:30:07.233692Z"),
        ("2019-01-20T00:00:00-08:00", "2019-01-20T08:00:00Z"),
        ("2019-01-20T00:00Z", "2019-01-20T00:00:00Z"),
        ("2019-01-20 00:00:00+00:00", "2019-01-20T00:00:00Z"),
        ("2019-01-20T00:00:00-00:00", "2019-01-20T00:00:00Z"),
        ("2019-01-20T00:00:00+0530", "2019-01-19T18:30:00Z"),
        ("2019-01-20T00:00:00+05", "2019-01-19T19:00:00Z"),
        ("2019-01-20T00:00:00+14:00", "2019-01-19T10:00:00Z"),
        ("2019-01-20T00:00:00-23:59", "2019-01-20T23:59:00Z"),
        ("2019-01-20T00:00:00+00:19:32", "2019-01-19T23:40:28Z"),
        ("2019-01-20T00:00:00+01:00:00.5", "2019-01-19T22:59:59.500000Z"),
        ("20190120T000000Z", "2019-01-20T00:00:00Z"),
        ("2019-W03-7T00:00:00Z", "2019-01-20T00:00:00Z"),
        ("2019-01-20T00:00:00,5Z", "2019-01-20T00:00:00.500000Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("0001-01-01T00:00:00-01:00", "0001-01-01T01:00:00Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_readable_text_goes_out_in_utc(text: str, expected: str) -> None:
    """A text with any kind of offset becomes the same moment in UTC."""
    assert times.from_text(text) == (expected, False)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "1547971200",
        "2019-01-20",
        "2019-01-20T00:00:00",
        "2019-01-20T00:00:00.123",
        "2019-13-20T00:00:00Z",
        "2019-02-29T00:00:00Z",
        "2019-01-20T23:59:60Z",
        "2019-01-20T25:00:00Z",
        "2019-01-20T00:00:00 UTC",
        "2019-01-20T00:00:00[Europe/Berlin]",
        "2019-01-20T00:00:00+24:00",
        "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "\N{ARABIC-INDIC DIGIT TWO}019-01-20T00:00:00Z",
        "2019-01-20T00:00:00\N{MINUS SIGN}08:00",
        "2019-01-20T00:00:00Z\n",
    ],
)
def test_unreadable_text_is_refused(text: str) -> None:
    """A text without an offset, outside of the years 1 to 9999 in UTC, or of another form is not a time."""
    assert times.from_text(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "2019-01-20T24:00:00Z",
        "2019-01-20T24:00Z",
        "2019-01-20T24Z",
        "2019-01-20 24:00:00+01:00",
        "20190120T240000Z",
        "20190120T24Z",
        "2019-W03-7T24:00:00Z",
        "2019W037T24:00:00Z",
        "2019-W03T24:00:00Z",
    ],
)
def test_hour_24_is_unreadable_on_every_python(text: str) -> None:
    """Hour 24, which only newer Pythons read, is refused in every spelling of the date."""
    assert times.from_text(text) is None


class _NewerPython(datetime):
    """Reads hour 24 as newer Pythons do."""

    @override
    @classmethod
    def fromisoformat(cls, date_string: str, /) -> datetime:  # type: ignore[override]
        """Read hour 24 as the next day's hour 0."""
        moment = datetime.fromisoformat(date_string.replace("T24", "T00"))
        if "T24" in date_string:
            moment += timedelta(days=1)
        return datetime.combine(moment.date(), moment.timetz())


@pytest.mark.parametrize("date", ["2019-01-20", "20190120", "2019-W03-7", "2019W037", "2019-W03", "2019W03"])
def test_hour_24_is_refused_where_python_reads_it(date: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python that reads hour 24 as the next day changes nothing, and hour 0 stays readable there."""
    monkeypatch.setattr(times, "datetime", _NewerPython)
    assert times.from_text(f"{date}T24:00:00Z") is None
    midnight = times.from_text(f"{date}T00:00:00Z")
    assert midnight is not None
    assert midnight[0].endswith("T00:00:00Z")


@pytest.mark.parametrize(
    "text, expected",
    [
        ("2019-01-20T00:00:00.1234567Z", "2019-01-20T00:00:00.123456Z"),
        ("2019-01-20T00:00:00.999999999+01:00", "2019-01-19T23:00:00.999999Z"),
        ("2019-01-20T00:00:00,1234567Z", "2019-01-20T00:00:00.123456Z"),
    ],
)
def test_a_finer_fraction_is_cut_and_reported(text: str, expected: str) -> None:
    """A fraction finer than microseconds is cut, never rounded, and the result says so."""
    assert times.from_text(text) == (expected, True)


@pytest.mark.parametrize(
    "number, expected",
    [
        ("0", "1970-01-01T00:00:00Z"),
        ("-0.0", "1970-01-01T00:00:00Z"),
        ("1547971200", "2019-01-20T08:00:00Z"),
        ("1547971200.0", "2019-01-20T08:00:00Z"),
        ("1.5479712e9", "2019-01-20T08:00:00Z"),
        ("1547971200.25", "2019-01-20T08:00:00.250000Z"),
        ("1547971200000", "2019-01-20T08:00:00Z"),
        ("1547971200123.5", "2019-01-20T08:00:00.123500Z"),
        ("99999999999", "5138-11-16T09:46:39Z"),
        ("100000000000", "1973-03-03T09:46:40Z"),
        ("-100000000000", "1966-10-31T14:13:20Z"),
        ("-99999999999", None),
        ("-62135596800", "0001-01-01T00:00:00Z"),
        ("-62135596801", None),
        ("253402300799999", "9999-12-31T23:59:59.999000Z"),
        ("253402300800000", None),
        ("1e18", None),
        ("1e19", None),
        ("1e1000000", None),
        ("-1e1000000", None),
        ("1e999999999999999999", None),
    ],
)
def test_epoch_numbers_are_seconds_or_milliseconds(number: str, expected: str | None) -> None:
    """Numbers from 10^11 on, in absolute value, are milliseconds, and numbers out of range are not times."""
    assert times.from_epoch(Decimal(number)) == (None if expected is None else (expected, False))


@pytest.mark.parametrize(
    "number, expected",
    [
        ("1547971200.1234567", "2019-01-20T08:00:00.123456Z"),
        ("-0.0000001", "1970-01-01T00:00:00Z"),
        ("-1.0000019", "1969-12-31T23:59:58.999999Z"),
        ("1547971200000.0001", "2019-01-20T08:00:00Z"),
        (f"1547971200.{'0' * 70}1", "2019-01-20T08:00:00Z"),
        ("1e-1500000", "1970-01-01T00:00:00Z"),
    ],
)
def test_a_finer_epoch_number_is_cut_and_reported(number: str, expected: str) -> None:
    """An epoch number finer than microseconds is cut, and the result says so, however many digits it has."""
    assert times.from_epoch(Decimal(number)) == (expected, True)


def test_aware_times_are_formatted_in_utc() -> None:
    """The tap's own times have the same form, with microseconds only if they are not 0."""
    assert times.format_utc(datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)) == "2024-05-06T07:08:09Z"
    east = datetime(2024, 5, 6, 7, 8, 9, 10, tzinfo=timezone(timedelta(hours=2)))
    assert times.format_utc(east) == "2024-05-06T05:08:09.000010Z"
    assert times.format_utc(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01T00:00:00Z"


def test_times_out_of_range_in_utc_do_not_pass() -> None:
    """A time that UTC would put into the year 0 is an error, not another time."""
    with pytest.raises(OverflowError):
        times.format_utc(datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))))
