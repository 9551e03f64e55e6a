"""The pages in a real browser: nothing is fetched or run, they fit a telephone, and everybody can read them."""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.report.browser import CHROMIUM, running_browser
from tests.report.building import JANE, entry, found, look_up, run_report, singer_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.report.browser import Browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH: Debian's package has it")

AXE = os.environ.get("AXE_CORE", "")
ELSEWHERE = "http://127.0.0.1:9/"
HOSTILE = [
    f'<img src="{ELSEWHERE}i">',
    f'<script src="{ELSEWHERE}s"></script><script>document.title = "run"</script>',
    f'<link rel=stylesheet href="{ELSEWHERE}c"><style>body {{ background: url({ELSEWHERE}b) }}</style>',
    f'"><iframe src="{ELSEWHERE}f"></iframe><a href="javascript:alert(1)" onfocus="alert(2)">x</a>',
    f"</style></script><meta http-equiv=refresh content='0;url={ELSEWHERE}r'>",
    "\N{RIGHT-TO-LEFT OVERRIDE}\N{RIGHT-TO-LEFT ISOLATE}" * 5,
    "W" * 100_000,
]
WIDE = "x" * 300
RECORDS = [
    *(entry("emails", JANE, f"{text}{n}", mailbox=text, message_hash=WIDE) for n, text in enumerate(HOSTILE)),
    entry("calls", JANE, WIDE, status=HOSTILE[0], external_systems=[{"system": WIDE, "objects": [{WIDE: WIDE}] * 2}]),
    entry("meetings", JANE, WIDE),
    entry("customer_data", JANE, WIDE, objects=[{"fields": [{"name": text, "value": [text]} for text in HOSTILE]}]),
    entry("customer_engagement", JANE, WIDE, content_url=WIDE, event_name=HOSTILE[1], undocumented={HOSTILE[2]: WIDE}),
    look_up(
        JANE,
        "found",
        0,
        emails_count=7,
        calls_count=1,
        meetings_count=1,
        customer_data_count=1,
        customer_engagement_count=1,
    ),
    look_up(JANE, "failed", 1),
    *found("Jane@example.com", emails=1),
    look_up("r@example.com", "rejected"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for all tests."""
    with running_browser() as running:
        yield running


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each kind of page, made of hostile values."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "config.json").write_text(f'{{"email_addresses": ["{JANE}", "r@example.com", "never@example.com"]}}')
    source = b"".join(singer_lines(RECORDS))
    run_report(folder, "person", "--from", "-", JANE, "Jane@example.com", "never@example.com", source=source)
    run_report(folder, "person", "--from", "-", "r@example.com", "--to", "short", source=source)
    run_report(
        folder, "erasure", "--from", "-", "--asked-at", "2026-03-01T12:00Z", JANE, "r@example.com", source=source
    )
    run_report(folder, "coverage", "--from", "-", "--config", "config.json", source=source)
    made = {name: folder / "made" / f"{name}.html" for name in ("person", "erasure", "coverage")}
    return {**made, "nothing": folder / "short" / "person.html"}


KINDS = pytest.mark.parametrize("kind", ["person", "nothing", "erasure", "coverage"])


@KINDS
def test_no_request_leaves_the_page(kind: str, pages: dict[str, Path], browser: Browser) -> None:
    """Whatever the values hold: the one request is that for the page itself, and no script has run."""
    browser.open(pages[kind])

    assert browser.requests == [pages[kind].as_uri()]
    assert browser.evaluate("document.title") != "run"
    assert (
        browser.evaluate("document.querySelectorAll('script, img, iframe, link, a[href]:not([href^=\"#\"])').length")
        == 0
    )


def test_a_request_would_be_seen(tmp_path: Path, browser: Browser) -> None:
    """The same values as elements: so the test above can fail."""
    path = tmp_path / "open.html"
    path.write_text("".join(HOSTILE[:2]))
    browser.open(path)

    assert {f"{ELSEWHERE}i", f"{ELSEWHERE}s"} <= set(browser.requests)
    assert browser.evaluate("document.title") == "run"


@KINDS
def test_the_policy_holds_even_where_escaping_would_fail(
    kind: str, pages: dict[str, Path], tmp_path: Path, browser: Browser
) -> None:
    """Elements that are put into the page by force fetch nothing and run nothing."""
    path = tmp_path / "forced.html"
    path.write_text(pages[kind].read_text().replace("<main>", f"<main>{''.join(HOSTILE[:3])}", 1))
    browser.open(path)

    assert [url for url in browser.requests if url.startswith(ELSEWHERE)] == []
    assert browser.evaluate("document.title") != "run"


@KINDS
@pytest.mark.parametrize("width", [320, 390, 1000])
def test_the_page_fits_its_window(kind: str, width: int, pages: dict[str, Path], browser: Browser) -> None:
    """Nothing has to be scrolled sideways, on a telephone either."""
    browser.open(pages[kind], width=width)

    assert browser.evaluate("document.documentElement.scrollWidth") <= width


@KINDS
def test_the_page_has_a_dark_form(kind: str, pages: dict[str, Path], browser: Browser) -> None:
    """Where the reader asks for it."""
    background = "getComputedStyle(document.body).backgroundColor"
    light = browser.open(pages[kind]).evaluate(background)
    dark = browser.open(pages[kind], colours="dark").evaluate(background)

    assert _brightness(light) > 200
    assert _brightness(dark) < 60


def _brightness(colour: str) -> float:
    values = [int(value) for value in re.findall(r"\d+", colour)[:3]]
    return sum(values) / len(values)


@KINDS
def test_the_page_prints_on_a4(kind: str, pages: dict[str, Path], browser: Browser) -> None:
    """What is folded is printed, too."""
    browser.open(pages[kind])
    pdf = printed(browser)

    assert re.search(rb"/MediaBox \[0 0 59[45][.\d]* 84[12][.\d]*\]", pdf)
    browser.send("Emulation.setEmulatedMedia", media="print")
    folded = (
        "[...document.querySelectorAll('details')].every(d => d.lastElementChild.getBoundingClientRect().height > 0)"
    )
    assert browser.evaluate(folded) is True
    browser.send("Emulation.setEmulatedMedia", media="")


def printed(browser: Browser) -> bytes:
    """The PDF of the page that is open."""
    return base64.b64decode(browser.send("Page.printToPDF", preferCSSPageSize=True)["data"])


def test_twenty_e_mails_fit_on_a_page_of_paper(tmp_path: Path, browser: Browser) -> None:
    """Three thousand take 160 pages at most, of which each has its number, the reference and the date."""
    records = [
        entry(
            "emails",
            JANE,
            f"{number:032x}",
            sent_time=f"2024-01-01T00:{number % 60:02}:00Z",
            mailbox=f"mailbox{number}@example.com",
            message_hash=f"{number * 7:032x}",
            **{"from": f"sender{number}@example.com"},
        )
        for number in range(300)
    ]
    source = b"".join(singer_lines([*records, look_up(JANE, "found", emails_count=300)]))
    run_report(tmp_path, "person", "--from", "-", JANE, "--draft", "--reference", "DSAR 17", source=source)
    browser.open(tmp_path / "made" / "person.html")

    assert len(re.findall(rb"/Type\s*/Page\b", printed(browser))) <= 300 / 20 + 4
    styles = browser.evaluate("document.querySelector('style').textContent")
    assert "counter(page)" in styles
    assert re.search(r"@bottom-left\{content:'[^']*DSAR 17[^']*20\d\d'\}", styles)


def test_dates_and_addresses_keep_on_one_line(pages: dict[str, Path], browser: Browser) -> None:
    """On the screen and on paper, a short address and a time are one line high."""
    script = (
        "[...document.querySelectorAll('time, bdi.whole')].filter("
        "e => e.getClientRects().length > 1 && !e.closest('table:not(.stacks)')).length"
    )
    for width in (375, 1200):
        assert browser.open(pages["person"], width=width).evaluate(script) == 0


@pytest.mark.skipif(not AXE, reason="AXE_CORE does not name a file: axe.min.js of the npm package axe-core")
@KINDS
@pytest.mark.parametrize("colours", ["light", "dark", "forced"])
@pytest.mark.parametrize("width", [375, 800, 1200])
def test_axe_finds_nothing(kind: str, colours: str, width: int, pages: dict[str, Path], browser: Browser) -> None:
    """The accessibility check by axe-core: no violation of any weight."""
    browser.open(pages[kind], width=width, colours=colours)
    browser.evaluate(Path(AXE).read_text(encoding="utf-8") + "; 0")
    found_ = browser.evaluate(
        "axe.run().then(r => r.violations.map(v => [v.id, v.impact, v.nodes.map(n => n.html).slice(0, 3)]))"
    )

    assert found_ == []
