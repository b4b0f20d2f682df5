"""Every page in every store: it opens, says what it shows, and no number comes without what belongs to it."""

import re
from pathlib import Path

import pytest
from page_runs import (
    NAMES,
    PAGES,
    Result,
    bare,
    blocks_with_charts,
    drawn,
    failures,
    has_table,
    results,
    sentences,
    through_the_front,
)
from streamlit.testing.v1 import AppTest

from analytics.store.snapshot import Snapshot, open_current
from analytics.texts import data_cut_words

# These show no results of their own: the overview has a line per measure, the definitions have no numbers.
WITHOUT_RESULTS = {"explore/overview", "data/definitions"}
SHOWING = [script for script, name in zip(PAGES, NAMES, strict=True) if name not in WITHOUT_RESULTS]
# A definition may say "only"; a sentence about numbers may not.
SAYING = [script for script in PAGES if script.stem != "definitions"]

LONGEST_HEADLINE = 110  # look.md 4: two lines at 1120 px
# look.md 6: words that praise, or say more than the numbers. "Most" with a number is allowed.
FORBIDDEN = re.compile(
    r"\b(significant\w*|impressive\w*|drives?|leads? to|success\w*|best|only|most(?! \d))\b", re.IGNORECASE
)

every_page = pytest.mark.parametrize("script", PAGES, ids=NAMES)
every_page_with_results = pytest.mark.parametrize("script", SHOWING, ids=lambda script: script.stem)


@pytest.fixture(scope="session")
def visited() -> dict[Path, AppTest]:
    """Pages of the demo that were opened already; reading one changes nothing."""
    return {}


@pytest.fixture
def opened(demo: Path, visited: dict[Path, AppTest], script: Path) -> AppTest:
    if script not in visited:
        visited[script] = through_the_front(script)
    return visited[script]


@pytest.fixture
def found(opened: AppTest) -> list[Result]:
    return results(opened)


@pytest.fixture(scope="session")
def snapshot(built_demo: Path) -> Snapshot:
    return open_current(built_demo)


def test_there_are_pages_and_all_but_two_show_results() -> None:
    assert len(SHOWING) >= 4
    assert set(NAMES) > WITHOUT_RESULTS


@every_page
def test_a_page_opens_with_one_heading(opened: AppTest) -> None:
    assert failures(opened) == []
    (title,) = opened.title
    assert title.value.strip()


@every_page
def test_a_page_says_at_once_which_data_these_are(opened: AppTest, snapshot: Snapshot) -> None:
    facts = snapshot.facts
    assert facts.data_as_of and facts.synthetic
    (line,) = [bare(each.value) for each in opened.markdown[:4] if facts.snapshot_id in each.value]
    assert data_cut_words(facts.data_as_of) in line
    assert "made-up data" in line
    assert "internal" in line.lower()


@every_page
def test_a_page_says_that_nobody_signed_in(opened: AppTest) -> None:
    assert any("no sign-in" in bare(each.value) for each in opened.markdown[:6])


@every_page_with_results
def test_a_result_is_a_full_sentence_that_fits_two_lines(found: list[Result]) -> None:
    assert found
    for result in found:
        (headline,) = result.headers
        assert 20 <= len(headline) <= LONGEST_HEADLINE, headline
        assert " " in headline and not headline.endswith((".", ":", ";"))


@every_page_with_results
def test_a_result_says_who_is_counted_from_everybody_to_the_number(found: list[Result]) -> None:
    for result in found:
        counted, _, _ = result.line("Who is counted:").partition("Not counted:")
        rungs = [int(number.replace(",", "")) for number in re.findall(r"(?::|→) ([0-9,]+) ", counted)]
        assert len(rungs) >= 2, result.key
        assert rungs == sorted(rungs, reverse=True), counted


@every_page_with_results
def test_a_result_has_its_table_and_its_definition(found: list[Result]) -> None:
    for result in found:
        inside = "\n".join(result.inside.values())
        assert len(result.inside) >= 2, result.key
        assert has_table(inside), result.key
        assert re.search(r"^Source: .+ Reviewed ", inside, re.MULTILINE), result.key
        assert re.search(r"^Counts as yes: |^Counted: ", inside, re.MULTILINE), result.key


@every_page_with_results
def test_a_result_ends_with_date_snapshot_and_tier(found: list[Result], snapshot: Snapshot) -> None:
    facts = snapshot.facts
    for result in found:
        foot = result.lines[-1]
        assert facts.snapshot_id in foot, result.key
        assert data_cut_words(str(facts.data_as_of)) in foot
        assert "made-up data" in foot
        assert "internal" in foot.lower()


@every_page
def test_no_number_stands_without_date_and_snapshot(opened: AppTest, snapshot: Snapshot) -> None:
    """Also what is no result of its own, such as the scatter of two scores, names its snapshot."""
    for block in blocks_with_charts(opened):
        assert any(snapshot.facts.snapshot_id in line for line in block.lines), block.key


@every_page
def test_a_chart_says_in_words_what_it_shows(opened: AppTest) -> None:
    alternatives = [str(chart.proto.alt) for chart in opened.get("plotly_chart")]
    assert all(re.search(r"\d", text) and " " in text for text in alternatives)
    assert len(drawn(opened)) == len(alternatives)


@every_page
def test_a_chart_stands_on_an_opaque_ground_without_buttons(opened: AppTest) -> None:
    # A change of theme does not run the page again: on a transparent ground the old text would vanish (look.md 12).
    for figure in drawn(opened):
        assert re.fullmatch(r"#[0-9A-Fa-f]{6}", figure["layout"]["paper_bgcolor"])


@pytest.mark.parametrize("script", SAYING, ids=lambda script: script.stem)
def test_sentences_praise_nothing_and_claim_no_cause(opened: AppTest) -> None:
    said = [(match.group(), text) for text in sentences(opened) for match in FORBIDDEN.finditer(text)]
    assert said == []


@every_page
def test_what_stands_on_a_page_is_words(opened: AppTest) -> None:
    for text in sentences(opened):
        assert re.search(r"\b(nan|None|inf)\b|[{}]|Stratifier|Estimate", text) is None, text


@every_page
def test_a_page_is_drawn_for_the_dark_theme(demo: Path, script: Path, visited: dict[Path, AppTest]) -> None:
    dark = through_the_front(script, theme="dark")
    assert failures(dark) == []
    light = drawn(visited.get(script) or through_the_front(script))
    for there, here in zip(light, drawn(dark), strict=True):
        assert there["layout"]["paper_bgcolor"] != here["layout"]["paper_bgcolor"]


def test_the_overview_has_a_line_for_every_headline_measure(demo: Path, snapshot: Snapshot) -> None:
    from analytics.session import local_viewer, session_of

    page = through_the_front(next(script for script in PAGES if script.stem == "overview"))
    shown = "\n".join(bare(each.value) for each in page.markdown)
    headlines = session_of(demo).view(local_viewer(), "explore").headlines()
    measures = [measure for group in headlines.values() for measure in group]
    assert len(measures) >= 8
    assert [measure.title for measure in measures if measure.title not in shown] == []


def test_the_scatter_of_two_scores_counts_as_its_headline_does(demo: Path) -> None:
    page = through_the_front(next(script for script in PAGES if script.stem == "symptom_change"))
    told = next(text for chart in page.get("plotly_chart") if "First and last score" in (text := str(chart.proto.alt)))
    better = re.search(r"clearly better \((\d+%)\)", told)
    assert better is not None
    assert any(f"{better[1]} of points lie below the band" in text for text in sentences(page))


# A store that has little: a trial in study days


@every_page
def test_a_trial_without_periods_is_shown(trial: Path, script: Path) -> None:
    page = through_the_front(script)
    assert failures(page) == []
    assert len(page.title) == 1
    assert page.info or results(page) or script.parent.name + "/" + script.stem in WITHOUT_RESULTS
    assert not [box.key for box in page.selectbox if box.key in ("from", "to")]  # there are no periods to choose


@every_page
def test_real_data_are_never_called_made_up(trial: Path, script: Path) -> None:
    page = through_the_front(script)
    assert [text for text in map(bare, (each.value for each in page.markdown)) if "made-up" in text] == []


@every_page
def test_what_the_mapping_decided_is_said_with_the_trial(trial: Path, script: Path) -> None:
    shown = "\n".join(bare(each.value) for each in through_the_front(script).markdown)
    notes = open_current(trial).facts.notes
    assert notes
    assert [note for note in notes if note not in shown] == []


@every_page_with_results
def test_what_was_not_collected_is_said(trial: Path, script: Path) -> None:
    page = through_the_front(script)
    if script.stem in ("readmission", "symptom_change"):
        text = " ".join([*sentences(page), *(box.value for box in page.info)]).lower()
        assert "not collected" in text or "no questionnaire" in text


# A store that has nothing


@every_page
def test_without_data_a_page_says_what_to_do(no_data: Path, script: Path) -> None:
    page = through_the_front(script)
    assert list(page.exception) == []
    (sentence,) = [each.value for each in page.error]
    assert "python -m analytics demo" in sentence
    assert not page.get("plotly_chart") and not page.get("download_button") and not page.header


def test_a_lost_snapshot_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "CURRENT").write_text("0123456789ab\n", encoding="utf-8")
    monkeypatch.setenv("IOP_STORE", str(tmp_path))
    page = through_the_front(SHOWING[0])
    assert list(page.exception) == []
    (sentence,) = [each.value for each in page.error]
    assert str(tmp_path) not in sentence and len(sentence.split()) > 5
