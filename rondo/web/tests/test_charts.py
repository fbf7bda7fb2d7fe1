"""Charts may stand in a page under the policy, speak, and carry the figures they draw."""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from altair.utils.schemapi import SchemaValidationError
from django.core.cache import cache
from django.utils import translation

from rondo.analysis.results import GridCell, WeekPoint
from rondo.foundation.models import Installation
from rondo.web.charts import kept
from rondo.web.charts.axes import ticks
from rondo.web.charts.chart import Chart, written
from rondo.web.charts.home import revenue
from rondo.web.charts.pictures import light_colours, png
from rondo.web.charts.portfolio import grid
from rondo.web.figures import Figures, figures
from rondo.web.jobs import draw_charts
from rondo.web.tests.charted import words
from rondo.web.tests.sample import store_run
from rondo.web.views.portfolio import CHARTS

once = pytest.mark.once
"""What is drawn of figures that were read; ``rondo/analysis/tests/test_figures.py`` reads them from both databases."""


@pytest.fixture
def found(installation: Installation, make_user: object) -> Figures:
    from rondo.foundation.models import User

    store_run()
    made = figures(User(role_id="administrator", reach="all"))
    assert made is not None
    return made


def test_the_grid_says_how_many_frequent_buyers_stay_away(found: Figures) -> None:
    cells = [
        GridCell(
            recency=r,
            frequency=f,
            customers=n,
            value=0,
            recency_low=d,
            recency_high=d,
            frequency_low=f,
            frequency_high=f,
        )
        for r, f, n, d in ((5, 5, 40, 1), (1, 5, 2, 26), (1, 1, 9, 26))
    ]
    assert words(grid(cells, "USD", "s").message) == (
        "2 of your 42 most frequent buyers stay away (26 days or more since the last purchase)."
    )
    assert grid(cells[:1], "USD", "s").message == ""
    with translation.override("de"):
        assert words(grid(cells, "USD", "s").message) == (
            "2 Ihrer 42 häufigsten Käufer bleiben aus (letzter Kauf: 26 Tage oder länger her)."
        )


def chart(key: str, found: Figures) -> Chart:
    made = CHARTS[key](found)
    assert made is not None
    return made


@once
@pytest.mark.parametrize("key", list(CHARTS))
def test_every_drawing_keeps_the_policy_and_speaks(key: str, found: Figures) -> None:
    for drawing in (chart(key, found).wide, chart(key, found).narrow):
        root = ElementTree.fromstring(drawing)
        assert root.get("aria-label") and root.get("viewBox") and root.get("width") is None
        elements = list(root.iter())
        assert not [e for e in elements if "style" in e.attrib or e.tag in {"style", "script"}]
        assert not [e for e in elements for name in e.attrib if name.startswith("on")]
        marks = [e for e in elements if e.get("class") == "marked"]
        assert marks and all(mark.get("aria-label") and mark.get("role") == "img" for mark in marks)
        stops = [e for e in elements if "data-stop" in e.attrib]
        assert len(stops) == len(marks)
        assert [stop.get("tabindex") for stop in stops] == ["0"] + ["-1"] * (len(stops) - 1)
        colours = {e.get(name) for e in elements for name in ("fill", "stroke")} - {None, "none", "transparent"}
        assert all(str(colour).startswith("var(--") for colour in colours), colours


@once
def test_every_drawing_of_a_test_is_held_against_the_schema(found: Figures) -> None:
    plain = chart("lorenz", found)
    wrong = replace(plain, key="wrong", build=lambda size: plain.build(size).configure_legend(orient="nowhere"))
    with pytest.raises(SchemaValidationError):
        assert wrong.wide
    with pytest.raises(SchemaValidationError):
        png(wrong)


@once
def test_every_drawing_can_be_had_as_a_picture(found: Figures) -> None:
    for key in CHARTS:
        picture = png(chart(key, found))
        assert picture.startswith(b"\x89PNG\r\n"), key
        width = int.from_bytes(picture[16:20])
        assert width >= 2 * chart(key, found).desk[0], key


def test_a_picture_knows_every_colour_of_the_charts() -> None:
    sources = Path(kept.__file__).parents[1].glob("**/charts*/*.py")
    used = {name for path in sources for name in re.findall(r"var\(--([\w-]+)\)", path.read_text(encoding="utf-8"))}
    assert used and used <= set(light_colours())
    assert all(re.fullmatch(r"#[0-9a-f]{6}", light_colours()[name]) for name in used)


def test_the_address_of_a_table_gives_the_picture_too(signed_in: Any, alice: Any, installation: Installation) -> None:
    store_run()
    response = signed_in(alice).get("/charts/lorenz.csv?as=png")
    assert response.status_code == 200 and response["Content-Type"] == "image/png"
    assert response["Content-Disposition"] == 'attachment; filename="rondo-lorenz.png"'
    assert 'href="/charts/lorenz.csv?as=png"' in signed_in(alice).get("/portfolio/").content.decode()


def test_a_cell_opens_its_customers(found: Figures) -> None:
    links = [e.get("href") for e in ElementTree.fromstring(chart("grid", found).wide).iter() if e.tag == "a"]
    assert len(links) == 25
    assert "/customers/?f=recency_days%3Abetween%3A0..9&f=purchase_days%3Abetween%3A5..5" in links


def test_the_last_bar_of_value_is_open_above(found: Figures) -> None:
    rows = chart("distribution", found).rows
    assert [row[1].url.partition("?")[2] for row in rows] == [
        "f=value%3Amin%3A0.00&f=value%3Abelow%3A200.00",
        "f=value%3Amin%3A200.00&f=value%3Abelow%3A400.00",
        "f=value%3Amin%3A400.00",
    ]
    assert rows[-1][0].text == "$400 and more"


def test_weeks_covered_in_part_are_not_drawn(found: Figures) -> None:
    days = [row[0].raw for row in chart("revenue", found).rows]
    assert days == ["2017-12-04", "2017-12-11", "2017-12-18", "2018-01-01", "2018-01-08"]


def test_labels_follow_the_language(found: Figures) -> None:
    english = chart("revenue", found).wide
    with translation.override("de"):
        german = chart("revenue", found).wide
    assert "$10 k".replace(" ", "\u00a0") in english
    assert "10\u00a0Tsd.\u00a0$" in german


@pytest.mark.parametrize(
    ("top", "expected"),
    [(0, [0, 1]), (1000, [0, 250, 500, 750, 1000]), (7.3, [0, 2, 4, 6, 8]), (0.9, [0, 0.25, 0.5, 0.75, 1.0])],
)
def test_ticks_are_round_and_cover_the_highest(top: float, expected: list[float]) -> None:
    assert ticks(top) == expected


def test_a_kept_drawing_goes_with_its_table(found: Figures) -> None:
    made = chart("lorenz", found)
    first = made.wide
    other = replace(made, rows=made.rows[:-1], title="Other figures")
    assert other.wide != first and chart("lorenz", found).wide == first


@pytest.fixture
def drawings(settings: Any, tmp_path: Path) -> Path:
    settings.RONDO_HOME = tmp_path
    return tmp_path / "drawings"


def test_what_one_process_drew_another_finds(found: Figures, drawings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = chart("lorenz", found).wide
    cache.clear()  # as in a process that has just started

    def fail(*_args: object) -> None:
        raise AssertionError("drawn again")

    monkeypatch.setattr("rondo.web.charts.chart.draw", fail)
    assert chart("lorenz", found).wide == first
    cache.clear()
    with translation.override("de"), pytest.raises(AssertionError, match="drawn again"):
        _ = chart("lorenz", found).wide
    with pytest.raises(AssertionError, match="drawn again"):
        _ = replace(chart("lorenz", found), stamp="another-run").wide


def test_another_version_draws_anew(found: Figures, drawings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _ = chart("lorenz", found).wide
    cache.clear()
    monkeypatch.setattr("rondo.web.charts.kept.drawn_by", lambda: "another version")
    _ = chart("lorenz", found).wide
    assert len(list(drawings.iterdir())) == 2


def test_the_charts_of_a_customer_leave_no_file(found: Figures, drawings: Path) -> None:
    _ = replace(chart("lorenz", found), fleeting=True).wide
    assert not drawings.exists()


def test_the_newest_drawings_stay(drawings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "LIMIT", 3)
    for number in range(6):
        kept.keep(str(number), f"<svg>{number}</svg>")
        for path in drawings.iterdir():  # clocks of file systems are coarse
            os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns - 10**9))
    assert [kept.find(str(number)) for number in range(6)] == [None] * 3 + [f"<svg>{n}</svg>" for n in (3, 4, 5)]
    assert len(list(drawings.iterdir())) == 3


def test_a_file_that_another_process_renames_meanwhile_is_no_failure(
    drawings: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    kept.keep("first", "<svg>first</svg>")
    passing = drawings / "passing"
    passing.write_text("half")
    real = os.scandir

    @contextmanager
    def scandir(folder: Path) -> Iterator[list[os.DirEntry[str]]]:
        with real(folder) as entries:
            found = list(entries)
        passing.unlink(missing_ok=True)
        yield found

    monkeypatch.setattr(os, "scandir", scandir)
    kept.keep("second", "<svg>second</svg>")
    assert kept.find("second") == "<svg>second</svg>" and not caplog.records


def test_a_folder_that_cannot_be_written_costs_no_page(found: Figures, drawings: Path) -> None:
    drawings.write_text("a file stands where the folder would be")
    assert "<svg" in chart("lorenz", found).wide


def test_the_charts_of_a_run_are_drawn_ahead_in_each_language(
    found: Figures, drawings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert draw_charts.func() == 2 * len(CHARTS)
    cache.clear()
    monkeypatch.setattr("rondo.web.charts.chart.draw", None)
    for language in ("en", "de"):
        with translation.override(language):
            for key in CHARTS:
                assert "<svg" in chart(key, found).wide + chart(key, found).narrow


def test_a_chart_as_pages_have_it_is_put_together_once_for_its_figures_and_language(found: Figures) -> None:
    weekly: list[WeekPoint] = [{"week": "2023-04-03", "revenue": 500, "orders": 2, "buyers": 1, "complete": True}]
    made: list[Sequence[WeekPoint]] = []

    def asked(weeks: Sequence[WeekPoint], stamp: str = "written") -> str:
        def build() -> Chart | None:
            made.append(weeks)
            return revenue(weeks, [], "EUR", stamp)

        return str(written(f"revenue:{stamp}", weeks, build))

    first = asked(weekly)
    assert (asked(weekly), len(made)) == (first, 1)
    more: list[WeekPoint] = [{**weekly[0], "revenue": 900}]
    assert asked(more) != first and "€9" in asked(more) and "€9" not in first
    with translation.override("de"):
        assert "Umsatz" in asked(weekly)
    assert len(made) == 3
    assert written("revenue:none", [], lambda: revenue([], [], "EUR", "none")) is None
