"""Figures show exactly what the result holds: places, shares, stripes, words; and the alt says it."""

import pickle
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, get_args

import plotly.graph_objects as go
import pytest

from analytics.disclosure import Disclosed, internal_view
from analytics.errors import MeasureProblem
from analytics.measures.results import STILL_IN, Curve, StratifiedResult
from analytics.measures.types import NOT_KNOWN, Cohort, Estimator, Stratifier
from analytics.reports.axis import tick_values, week_ticks, zoomed
from analytics.reports.figures import (
    Figure,
    dot_rows,
    ladder_bars,
    leaving_areas,
    missing_dots,
    outcome_bars,
    pair_scatter,
    survival_curve,
    trend_line,
)
from analytics.reports.icons import Assurance, Signal, Swatch, assurance_icon, signal_icon, swatch
from analytics.reports.known import known_share, known_words
from analytics.reports.marks import axis_mark, interval_mark, share_known_bar, sparkline
from analytics.reports.numbers import Scale
from analytics.reports.palette import DARK, LIGHT, Theme, palette
from analytics.reports.steps import at_risk_at, last_day_of, left_out_by, value_at
from analytics.settings import PROJECT_ROOT
from analytics.statistics.proportions import wilson
from tests.spec.showable import (
    COHORT_WORDS,
    PROVENANCE,
    by_modality,
    ladder,
    measure,
    number,
    share,
    shown,
    staying,
)

BY_MODALITY = Stratifier.MODALITY
SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Pairs:
    pairs: tuple[tuple[float, float, int], ...]
    unmeasured: tuple[tuple[float, int], ...]
    instrument: str = "phq9"


STAY = measure(
    id="retention_km",
    title="Still in the program, by day",
    of_whom="of people admitted",
    did="were still in the program",
    estimator=Estimator.SURVIVAL,
    read_at=(28,),
)
LEAVING = measure(
    id="completion_cif",
    title="How people left, over time",
    of_whom="of people admitted",
    did="had completed the program",
    estimator=Estimator.INCIDENCE,
    way="completed",
    read_at=(84,),
)
# Forty people; ten leave on each of the days 10, 20, 40, 60; thirty more are last seen on day 70.
DAYS = (*[10] * 10, *[20] * 10, *[40] * 10, *[60] * 10, *[99] * 30)


def stays(groups: dict[str, Curve], by: Stratifier | None = None, **changes: Any) -> Disclosed[StratifiedResult]:
    estimates = {
        group: number(56, 49, 63, sum(curve.events) + sum(curve.censored), unit="day")
        for group, curve in groups.items()
    }
    return shown(estimates, by, STAY, curves=groups, **changes)


def leaving() -> Disclosed[StratifiedResult]:
    """A hundred people: 20 left early on day 7; on day 14, 60 finished and 5 moved; 15 are still here."""
    curve = Curve(
        time=(7.0, 14.0, 21.0),
        at_risk=(100, 80, 15),
        events=(20, 65, 0),
        censored=(0, 0, 15),
        values={
            "completed": (0.0, 0.6, 0.6),
            "stepped_down": (0.0, 0.0, 0.0),
            "transferred_higher": (0.0, 0.05, 0.05),
            "left_early": (0.2, 0.2, 0.2),
            "other": (0.0, 0.0, 0.0),
            NOT_KNOWN: (0.0, 0.0, 0.0),
            STILL_IN: (0.8, 0.15, 0.15),
        },
        ci_low={},
        ci_high={},
    )
    details = {"day": 84, "completed": 0.6, "left_early": 0.2, "transferred_higher": 0.05, STILL_IN: 0.15}
    estimate = number(0.6, 0.5, 0.7, 100, unit="episode", details=details)
    return shown({"all": estimate}, of=LEAVING, curves={"all": curve})


def trend() -> Disclosed[StratifiedResult]:
    """Six months: one without anybody, one without a value, one small, the last too recent."""
    months = {
        "all": share(120, 200, 10),
        "2025-01": share(20, 40),
        "2025-02": share(24, 40),
        "2025-04": share(0, 0, 3, reason="Not known for any of the 3 episodes."),
        "2025-05": share(4, 8),
        "2025-06": share(12, 30, too_recent=9),
        NOT_KNOWN: share(30, 50),
    }
    return shown(months, Stratifier.ADMIT_PERIOD)


def pairs(count: int = 1) -> Any:
    """Better by 9, better by exactly the error, no clear change, worse by the error; three unmeasured."""
    seen = Pairs(((15, 6, 3 * count), (15, 9, count), (15, 10, 4 * count), (9, 15, count)), ((20, 2), (11, 1)))
    return internal_view(seen, PROVENANCE, COHORT_WORDS)


def outcomes() -> tuple[Disclosed[StratifiedResult], ...]:
    counts = {
        "all": (187, 96, 18, 301, 97),
        "in_person": (88, 41, 8, 137, 35),
        "telehealth": (42, 28, 6, 76, 32),
    }
    return tuple(
        shown({group: share(row[part], row[3], row[4]) for group, row in counts.items()}, BY_MODALITY)
        for part in range(3)
    )


def every_figure(theme: Theme) -> list[Figure]:
    many = {group: staying(*DAYS, watched_until=70) for group in ("all", "a", "b", "c", "d", "e")}
    few = {group: many[group] for group in ("all", "a", "b")}
    better, same, worse = outcomes()
    return [
        dot_rows(shown(by_modality(), BY_MODALITY), theme),
        dot_rows(shown(by_modality(), BY_MODALITY, internal_minimum=100), theme),
        missing_dots(shown({"all": share(187, 301, 97)}), theme, target=0.5),
        ladder_bars(shown({"all": share(187, 301, 97)}), theme),
        outcome_bars(better, same, worse, theme),
        survival_curve(stays({"all": many["all"]}), theme),
        survival_curve(stays(few, Stratifier.SITE), theme),
        survival_curve(stays(many, Stratifier.SITE), theme),
        leaving_areas(leaving(), theme),
        trend_line(trend(), theme, target=0.6),
        pair_scatter(pairs(), theme, error=6, maximum=27, cut_off=10),
        pair_scatter(pairs(1000), theme, error=6, maximum=27),
    ]


def words_in(figure: Figure) -> list[str]:
    """Every text on the chart, without markup."""
    return [re.sub(r"<[^>]+>", "", note["text"]) for note in figure.spec["layout"]["annotations"]]


def trace(figure: Figure, mode: str) -> list[dict[str, Any]]:
    return [entry for entry in figure.spec["data"] if entry.get("mode") == mode]


# All figures


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("which", range(len(every_figure("light"))))
def test_every_figure_is_valid_quiet_and_tells_itself(theme: Theme, which: int) -> None:
    figure = every_figure(theme)[which]
    go.Figure(**figure.spec)  # raises when Plotly does not know an attribute
    layout = figure.spec["layout"]
    assert "title" not in layout
    assert layout["template"] == {}
    assert layout["paper_bgcolor"] == palette(theme).paper
    assert layout["dragmode"] is False
    assert layout["xaxis"]["fixedrange"]
    assert layout["yaxis"]["fixedrange"]
    assert layout["height"] == figure.height
    assert len(figure.alt) > 60
    assert "nan" not in figure.alt.lower().split()
    assert all(note["font"]["size"] >= 12 for note in layout["annotations"])
    assert pickle.loads(pickle.dumps(figure)) == figure
    assert figure.plotly().to_plotly_json()["layout"]["height"] == figure.height


def test_no_figure_keeps_a_colour_of_the_other_theme() -> None:
    unlike = {getattr(DARK, role) for role in ("paper", "ink", "series", "better", "worse", "unknown")}
    unlike -= {getattr(LIGHT, role) for role in ("paper", "ink", "series", "better", "worse", "unknown")}
    for figure in every_figure("light"):
        assert not [colour for colour in unlike if colour in str(figure.spec)]


def test_nobody_writes_a_colour_outside_the_palette() -> None:
    reports = PROJECT_ROOT / "analytics" / "reports"
    files = [file for file in reports.glob("*.py") if file.name != "palette.py"]
    assert len(files) > 10
    assert [file.name for file in files if re.search(r"#[0-9A-Fa-f]{6}\b", file.read_text(encoding="utf-8"))] == []


# Rows


def test_dot_rows_put_every_dot_and_interval_at_its_value() -> None:
    figure = dot_rows(shown(by_modality(), BY_MODALITY), "light")
    dots = trace(figure, "markers")
    assert [dot["x"][0] for dot in dots] == [88 / 137, 57 / 88, 37 / 67, 5 / 9]
    limits = wilson(88, 137)
    assert trace(figure, "lines")[0]["x"] == [limits.low, limits.high]
    assert words_in(figure)[:4] == ["In person", "64%", "56\u2060–\u206072", "88 of 137"]
    (everyone,) = [shape for shape in figure.spec["layout"]["shapes"] if shape["type"] == "line"]
    assert everyone["x0"] == everyone["x1"] == 187 / 301
    assert everyone["line"]["dash"] == "dash"


def test_the_missing_are_a_band_from_none_of_them_to_all_of_them() -> None:
    figure = dot_rows(shown(by_modality(), BY_MODALITY), "light")
    bands = [(shape["x0"], shape["x1"]) for shape in figure.spec["layout"]["shapes"] if shape["type"] == "rect"]
    assert sorted(bands) == sorted([(88 / 172, 123 / 172), (57 / 118, 87 / 118), (37 / 99, 69 / 99)])


def test_a_small_group_is_hollow_dotted_named_and_noted() -> None:
    figure = dot_rows(shown(by_modality(), BY_MODALITY), "light")
    colours = palette("light")
    assert trace(figure, "markers")[-1]["marker"]["color"] == colours.paper
    assert trace(figure, "lines")[-1]["line"] == {"color": colours.unknown, "width": 3, "dash": "dot"}
    assert "Not recorded small" in words_in(figure)
    assert figure.note == "small, hollow: fewer than 11 people; do not compare, do not share."
    assert "5 of 9, small numbers" in figure.alt


def test_a_group_without_a_value_keeps_its_row_and_says_why() -> None:
    figure = dot_rows(shown(by_modality(), BY_MODALITY, internal_minimum=30), "light")
    assert "Too few people to say (at least 30 needed)." in words_in(figure)
    assert len(trace(figure, "markers")) == 3
    assert "5 of 9" not in str(figure.spec) + figure.alt
    assert figure.note == ""


def test_without_a_split_there_is_one_row_for_everyone() -> None:
    figure = dot_rows(shown({"all": share(187, 301, 97)}), "light")
    assert words_in(figure)[0] == "Everyone"
    assert figure.spec["layout"]["shapes"][0]["type"] == "rect"  # the band; no dashed line through itself


def test_missing_dots_show_the_two_ends_with_their_own_intervals() -> None:
    figure = missing_dots(shown({"all": share(187, 301, 97)}), "light", target=0.5)
    assert [dot["x"][0] for dot in trace(figure, "markers")] == [187 / 301, 187 / 398, 284 / 398]
    assert trace(figure, "lines")[2]["x"] == [wilson(284, 398).low, wilson(284, 398).high]
    assert {"187 of 301", "187 of 398", "284 of 398", "target 50%"} <= set(words_in(figure))
    assert figure.spec["layout"]["xaxis"]["range"] == [0, 1.002]
    change = measure(estimator=Estimator.MEAN_CHANGE)
    with pytest.raises(MeasureProblem, match="no range of the missing"):
        missing_dots(shown({"all": number(6.8, 6.2, 7.4, 301)}, of=change), "light")


# Bars


def test_outcome_bars_add_up_to_everyone_with_the_unknown_last_and_striped() -> None:
    figure = outcome_bars(*outcomes(), "light")
    shares = [bar["x"] for bar in figure.spec["data"]]
    assert shares[0] == [187 / 398, 88 / 172, 42 / 108]
    assert [sum(parts) for parts in zip(*shares, strict=True)] == pytest.approx([1, 1, 1])
    assert figure.spec["data"][3]["marker"]["pattern"]["shape"] == "/"
    assert figure.spec["data"][0]["marker"]["color"] == palette("light").better
    assert figure.spec["data"][2]["marker"]["color"] == palette("light").worse
    assert figure.spec["data"][0]["text"] == ["47%", "51", "39"]
    assert {"Everyone", "398 episodes", "24%", "30"} <= set(words_in(figure))
    assert "Telehealth (108): 39% clearly better, 26% no clear change, 6% clearly worse, 30% not known" in figure.alt


def test_outcome_bars_refuse_results_of_different_people() -> None:
    better, same, worse = outcomes()
    fewer = shown({**worse.content.estimates, "telehealth": share(5, 76, 32)}, BY_MODALITY)
    with pytest.raises(MeasureProblem, match="do not add up"):
        outcome_bars(better, same, fewer, "light")
    with pytest.raises(MeasureProblem, match="split alike"):
        outcome_bars(better, same, shown({"all": share(18, 301, 97)}), "light")


def test_ladder_bars_lose_people_in_stripes_and_keep_the_known_no_solid() -> None:
    figure = ladder_bars(shown({"all": share(187, 301, 97)}), "light")
    soft, lost, yes, no = figure.spec["data"]
    assert soft["x"] == [412, 398, 301]
    assert lost["x"] == [0, 14, 97, 0]
    assert lost["marker"]["pattern"]["shape"] == "/"
    assert (yes["x"], no["x"]) == ([187], [114])
    assert "pattern" not in no["marker"]
    assert {"412 admitted", "14 still in the program", "114 known not to be so"} <= set(words_in(figure))
    assert figure.alt.startswith("Who is counted: 412 admitted → 398 left the program")


def test_texts_of_a_rung_that_do_not_fit_a_phone_take_two_lines() -> None:
    figure = ladder_bars(shown({"all": share(187, 301, 97)}), "light")
    heights = {re.sub(r"<[^>]+>", "", note["text"]): note["y"] for note in figure.spec["layout"]["annotations"]}
    assert heights["398 left the program"] == heights["14 still in the program"]
    assert heights["187 were clearly less depressed at the end"] < heights["114 known not to be so"]


def test_a_ladder_without_anybody_is_not_drawn() -> None:
    with pytest.raises(MeasureProblem, match="nobody to count"):
        ladder_bars(shown({"all": share(0, 0)}, ladder=ladder(("admitted", 0))), "light")
    with pytest.raises(MeasureProblem, match="nobody to count"):
        ladder_bars(shown({"all": share(5, 9)}, internal_minimum=11), "light")


# Curves


def test_reading_a_step_curve() -> None:
    curve = staying(*DAYS, watched_until=70)
    still_in = curve.values[STILL_IN]
    assert curve.at_risk == (70, 60, 50, 40, 30)
    assert [value_at(curve, still_in, day, 1.0) for day in (0, 9.9, 10, 39)] == pytest.approx([1, 1, 6 / 7, 5 / 7])
    assert [at_risk_at(curve, week) for week in (0, 1, 2, 4, 10, 11)] == [70, 70, 60, 50, 30, 0]
    assert [left_out_by(curve, week) for week in (4, 10, 11)] == [0, 0, 30]
    assert last_day_of(curve) == 70
    assert last_day_of(staying(*range(1, 31))) == 21  # on day 22 only nine are left
    assert last_day_of(staying(1, 2, 3)) == 3  # fewer than ten from the start


def test_the_survival_curve_steps_and_counts_below_the_axis() -> None:
    figure = survival_curve(stays({"all": staying(*DAYS, watched_until=70)}), "light")
    line = figure.spec["data"][2]
    assert line["line"]["shape"] == "hv"
    assert line["x"] == [day / 7 for day in (0, 10, 20, 40, 60, 70)]
    assert line["y"] == pytest.approx([1, 6 / 7, 5 / 7, 4 / 7, 3 / 7, 3 / 7])
    told = words_in(figure)
    assert "Week 4: 71%61 to 81%" in told  # the day at which the measure is read, with its interval
    rows = told[told.index("Still in the program, so still at risk") :]
    assert rows[1:7] == ["70", "60", "50", "40", "40", "30"]  # weeks 0, 2, 4, 6, 8, 10
    assert rows[7:] == ["Left out: too recent to know", "0", "0", "0", "0", "0", "0"]
    assert figure.spec["layout"]["yaxis"]["range"] == [0, 1.002]


def test_a_curve_that_is_not_of_staying_says_what_its_share_is() -> None:
    measured = stays({"all": staying(*DAYS, watched_until=70)})
    use = replace(measured.content.measure, cause="first_use_day is not null", did="had not been seen to use")
    figure = survival_curve(stays({"all": staying(*DAYS, watched_until=70)}, measure=use), "light")
    assert "Share of people who had not been seen to use. Everyone: week 2 86%" in figure.alt
    assert {"Still watched, so still at risk", "Left out: not watched for so long"} <= set(words_in(figure))
    assert "in the program" not in figure.alt


def test_several_curves_have_their_own_dash_and_name_and_more_than_four_become_rows() -> None:
    curve = staying(*DAYS, watched_until=70)
    three = survival_curve(stays(dict.fromkeys(("all", "a", "b", "c"), curve), Stratifier.SITE), "light")
    assert [line["line"]["dash"] for line in three.spec["data"][2::3]] == ["solid", "dash", "dot"]
    # Three lines on each other are named in a pile, each with its dash.
    assert {"—— a", "– – b", "····· c", "Still at risk: a"} <= set(words_in(three))
    five = survival_curve(stays(dict.fromkeys(("all", *"abcde"), curve), Stratifier.SITE), "light")
    assert [dot["x"][0] for dot in trace(five, "markers")] == pytest.approx([5 / 7] * 5)  # on day 28
    assert "70 episodes" in words_in(five)
    assert five.alt.startswith("Share still in the program on week 4")


def names_of_curves(figure: Figure) -> dict[str, float]:
    """The names on the chart and how high they stand."""
    notes = [note for note in figure.spec["layout"]["annotations"] if note.get("bgcolor")]
    return {re.sub(r"<[^>]+>", "", note["text"]): note["y"] for note in notes}


def test_names_of_curves_that_run_together_do_not_touch_nor_cover_a_line() -> None:
    curve = staying(*DAYS, watched_until=70)
    figure = survival_curve(stays(dict.fromkeys(("all", *"abcd"), curve), Stratifier.SITE), "light")
    places = sorted(names_of_curves(figure).values())
    assert len(places) == 4
    assert min(above - below for below, above in pairwise(places)) >= 0.055
    week = next(note["x"] for note in figure.spec["layout"]["annotations"] if note.get("bgcolor"))
    assert places[0] > value_at(curve, curve.values[STILL_IN], 7 * week, 1.0)
    assert places[-1] + 0.055 <= 1


def test_curves_far_apart_are_named_on_their_lines() -> None:
    groups = {
        "all": staying(*DAYS, watched_until=70),
        "high": staying(*[60] * 20, *[99] * 80, watched_until=70),
        "low": staying(*[2] * 60, *[60] * 20, *[99] * 20, watched_until=70),
    }
    names = names_of_curves(survival_curve(stays(groups, Stratifier.SITE), "light"))
    assert names == pytest.approx({"high": 1.01, "low": 0.41})


def test_the_planned_length_is_drawn_when_there_is_one() -> None:
    curve = {"all": staying(*DAYS, watched_until=70)}
    eight = stays(curve, cohort=Cohort(where={"planned_weeks": ("8",)}))
    assert [shape["x0"] for shape in survival_curve(eight, "light").spec["layout"]["shapes"]] == [8]
    two = stays(curve, cohort=Cohort(where={"planned_weeks": ("8", "12")}))
    assert survival_curve(two, "light").spec["layout"]["shapes"] == []


def test_a_result_without_curves_says_so() -> None:
    with pytest.raises(MeasureProblem, match="has no curve here"):
        survival_curve(shown({"all": share(187, 301)}), "light")
    with pytest.raises(MeasureProblem, match="has no areas here"):
        leaving_areas(shown({"all": share(187, 301)}), "light")
    with pytest.raises(MeasureProblem, match="has no areas here"):
        leaving_areas(stays({"all": staying(*DAYS)}), "light")


def test_areas_add_up_to_everyone_in_every_week() -> None:
    figure = leaving_areas(leaving(), "light")
    areas = {entry["hovertemplate"].split(",")[0]: entry for entry in figure.spec["data"]}
    assert list(areas) == [
        "Finished",
        "Still here",
        "Higher care",
        "Left early",
    ]  # from the bottom; empty ones go
    assert areas["Left early"]["y"] == [0, 0.2, 0.2, 0.2]
    assert areas["Finished"]["y"] == [0, 0, 0.6, 0.6]
    assert [sum(week) for week in zip(*(area["y"] for area in areas.values()), strict=True)] == pytest.approx([1] * 4)
    assert "Finished 60%" in words_in(figure)
    assert figure.note == "Too thin to name: higher care 5%."
    assert "left early 20%, higher care 5%, still here 15%, finished 60%" in figure.alt


# Trend


def test_a_trend_leaves_gaps_and_keeps_the_too_recent_apart() -> None:
    figure = trend_line(trend(), "light", target=0.6)
    doubts, line, solid, hollow = figure.spec["data"]
    assert line["y"] == [
        0.5,
        0.6,
        None,
        None,
        0.5,
        None,
    ]  # March has nobody, April no value, June is too recent
    assert line["connectgaps"] is False
    assert solid["y"] == [0.5, 0.6]
    assert hollow["y"] == [0.5, 0.4]  # May is small, June too recent
    assert doubts["y"][:2] == [wilson(20, 40).low, 0.5 + (wilson(20, 40).high - 0.5)]
    assert "too recent:9 not counted yet" in words_in(figure)
    (panel,) = [shape for shape in figure.spec["layout"]["shapes"] if shape["type"] == "rect"]
    assert panel["x1"] - panel["x0"] == 1
    assert "June 2025 40% (25 to 58%), of 30, 9 too recent" in figure.alt
    assert "April 2025 no value" in figure.alt
    assert "target 60%" in words_in(figure)


def test_a_trend_names_the_year_under_its_months_and_needs_periods() -> None:
    axis = trend_line(trend(), "light").spec["layout"]["xaxis"]
    assert axis["ticktext"][0] == "Jan<br>2025"
    quarters = {"all": share(90, 150), "2024-Q4": share(30, 50), "2025-Q1": share(60, 100)}
    axis = trend_line(shown(quarters, Stratifier.ADMIT_PERIOD), "light").spec["layout"]["xaxis"]
    assert axis["ticktext"] == ["Oct–Dec<br>2024", "Jan–Mar<br>2025"]
    with pytest.raises(MeasureProblem, match="split by period"):
        trend_line(shown(by_modality(), BY_MODALITY), "light")
    with pytest.raises(MeasureProblem, match="No period is known"):
        trend_line(shown({"all": share(9, 20), NOT_KNOWN: share(9, 20)}, Stratifier.ADMIT_PERIOD), "light")


# Pairs


def test_pairs_are_told_apart_by_the_error_and_by_shape() -> None:
    figure = pair_scatter(pairs(), "light", error=6, maximum=27, cut_off=10)
    same, better, worse, rug = figure.spec["data"]
    assert [len(marks["x"]) for marks in (same, better, worse, rug)] == [4, 4, 1, 3]
    assert [marks["marker"]["symbol"] for marks in (same, better, worse)] == [
        "circle-open",
        "circle",
        "diamond",
    ]
    assert "9 stays measured twice: 4 clearly better (44%), 4 no clear change (44%), 1 clearly worse" in figure.alt
    assert "3 have no last score" in figure.alt
    assert "Clearly better" in words_in(figure)
    # The line of the cut-off lies between two whole totals, so no mark lies on it.
    assert [shape["x0"] for shape in figure.spec["layout"]["shapes"] if shape.get("x0") == 9.5] == [9.5]


def test_people_with_the_same_scores_lie_beside_each_other_and_stay_there() -> None:
    first, second = (pair_scatter(pairs(), "light", error=6, maximum=27).spec["data"][1] for _ in range(2))
    assert first == second
    assert len(set(zip(first["x"], first["y"], strict=True))) == 4
    assert max(abs(x - 15) for x in first["x"]) <= 0.3


def test_on_scales_of_wellbeing_higher_is_better() -> None:
    figure = pair_scatter(pairs(), "light", error=6, maximum=27, lower_is_better=False)
    assert "1 clearly better (11%), 4 no clear change (44%), 4 clearly worse (44%)" in figure.alt


def test_thousands_of_people_become_one_mark_per_pair_of_scores() -> None:
    _, better, _, rug = pair_scatter(pairs(1000), "light", error=6, maximum=27).spec["data"]
    assert (better["x"], better["y"]) == ([15.0, 15.0], [6.0, 9.0])
    assert better["marker"]["size"][0] > better["marker"]["size"][1]
    assert len(rug["x"]) == 3


def test_nobody_measured_twice_is_not_drawn() -> None:
    nobody = internal_view(Pairs((), ((20, 30),)), PROVENANCE, COHORT_WORDS)
    with pytest.raises(MeasureProblem, match="Nobody has a first and a last score"):
        pair_scatter(nobody, "light", error=6, maximum=27)


# Axes


def test_a_zoomed_axis_shows_every_value_and_never_makes_noise_a_cliff() -> None:
    low, high = zoomed([0.60, 0.61, float("nan")], Scale.SHARE)
    assert high - low >= 0.2
    assert zoomed([0.01, 0.99], Scale.SHARE) == (0.0, 1.002)
    assert zoomed([-2.0, 9.0], Scale.POINTS)[0] < -2
    for ends in ((0.27, 0.81), (0.0, 1.0), (0.55, 0.75)):
        ticks = tick_values(*ends, Scale.SHARE)
        assert 1 < len(ticks) <= 4
        assert ends[0] - 1e-9 <= ticks[0] <= ticks[-1] <= ends[1] + 1e-9
    assert week_ticks(12.4) == [0, 2, 4, 6, 8, 10, 12]
    assert len(week_ticks(80)) <= 7


# Small marks


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def test_an_interval_mark_places_the_dot_on_the_common_axis() -> None:
    mark = interval_mark(shown({"all": share(187, 301, 97)}), previous=0.6, target=0.5)
    root = parsed(mark.svg)
    assert root.get("style") == "color-scheme: light dark"
    ring, dot = root.findall(f"{SVG}circle")
    assert float(dot.get("cx", "")) == pytest.approx(10 + 236 * 187 / 301, abs=0.1)
    assert float(ring.get("cx", "")) == pytest.approx(10 + 236 * 0.6, abs=0.1)
    (band,) = root.findall(f"{SVG}rect")
    assert band.get("fill") == "url(#stripes)"
    assert f"light-dark({LIGHT.series}, {DARK.series})" in mark.svg
    assert mark.alt == (
        "Clearly better, PHQ-9: 62% (57 to 67%), between 47% and 71% depending on those not known, "
        "before 60%, target 50%."
    )


def test_a_small_or_missing_interval_mark_looks_different() -> None:
    disclosed = shown(by_modality(), BY_MODALITY)
    small = interval_mark(disclosed, "not known")
    assert "stroke-dasharray" in small.svg
    assert small.alt.endswith("not recorded: 56% (27 to 81%), small numbers, do not compare.".replace("not r", "Not r"))
    nobody = interval_mark(shown({"all": share(0, 0)}))
    assert parsed(nobody.svg).findall(f"{SVG}circle") == []
    assert nobody.alt == "Clearly better, PHQ-9: Nobody matches these filters."


def test_a_sparkline_breaks_where_there_is_no_value() -> None:
    mark = sparkline(trend())
    root = parsed(mark.svg)
    assert len(root.findall(f"{SVG}polyline")) == 1  # January and February; May stands alone
    rings = [circle for circle in root.findall(f"{SVG}circle") if circle.get("stroke")]
    assert len(rings) == 1  # June
    assert "Jun 2025" not in mark.alt
    assert "June 2025 40%" in mark.alt
    empty = sparkline(shown({"all": share(0, 0)}, Stratifier.ADMIT_PERIOD))
    assert empty.alt.endswith("no months with a value.")


def test_share_known_is_solid_and_the_rest_striped() -> None:
    three_quarters = share_known_bar(shown({"all": share(187, 301, 97)}))
    striped, solid = parsed(three_quarters.svg).findall(f"{SVG}rect")
    assert striped.get("fill") == "url(#stripes)"
    assert float(solid.get("width", "")) == pytest.approx(60 * 301 / 398, abs=0.1)
    assert three_quarters.alt == "Known for 76%: fair."
    assert "stripes" not in share_known_bar(shown({"all": share(187, 301)})).svg
    assert [known_words(value) for value in (0.9, 0.75, 0.749)] == ["good", "fair", "thin"]


def test_the_share_known_of_a_ratio_counts_episodes_not_sessions() -> None:
    steps = ladder(("admitted", 100), ("known", 80, 20, "not known"), ("with a session to count", 79, 1, "none"))
    attended = measure(estimator=Estimator.RATIO, ratio_unit="session")
    disclosed = shown({"all": number(0.8, 0.7, 0.9, 9000, unknown=20)}, of=attended, ladder=steps)
    assert known_share(disclosed.content) == 0.8


def test_every_icon_is_drawn_in_both_themes_and_no_two_are_alike() -> None:
    icons = [signal_icon(signal, rising=rising) for signal in get_args(Signal)[:2] for rising in (True, False)]
    icons += [signal_icon(signal) for signal in get_args(Signal)[2:]]
    icons += [assurance_icon(assurance) for assurance in get_args(Assurance)]
    icons += [swatch(kind) for kind in get_args(Swatch)]
    assert len(set(icons)) == len(icons)
    for icon in (*icons, axis_mark().svg):
        assert parsed(icon).tag == f"{SVG}svg"
        assert "light-dark(" in icon
    assert not any("<text" in icon for icon in icons)


def test_where_lower_is_better_a_bar_below_the_line_meets_the_target() -> None:
    def top(svg: str) -> float:
        return float(parsed(svg).findall(f"{SVG}rect")[0].get("y", ""))

    assert top(assurance_icon("meets target")) < top(assurance_icon("hit or miss"))
    assert top(assurance_icon("meets target", lower_is_better=True)) > top(assurance_icon("hit or miss"))


def test_text_from_data_is_never_markup() -> None:
    groups = {"all": share(187, 301), "<b>x</b>": share(88, 137)}
    figure = dot_rows(shown(groups, Stratifier.SITE), "light")
    assert "<b>&lt;b&gt;x&lt;/b&gt;</b>" in [note["text"] for note in figure.spec["layout"]["annotations"]]


def test_figures_do_not_change_the_result() -> None:
    disclosed = shown(by_modality(), BY_MODALITY)
    before = replace(disclosed.content)
    dot_rows(disclosed, "light")
    assert disclosed.content == before
