"""The Definitions page: one definition at a time, found by family, by search, and by its address."""

import re
from pathlib import Path

from page_runs import PAGES, bare, failures, with_filters
from streamlit.testing.v1 import AppTest

SCRIPT = next(script for script in PAGES if script.stem == "definitions")


def told(page: AppTest) -> str:
    assert failures(page) == []
    return "\n".join(bare(each.value) for each in page.markdown)


def test_one_definition_is_shown_with_an_index_of_its_family(demo: Path) -> None:
    page = with_filters(SCRIPT)
    first, *_ = page.header
    assert first.value == "Wait from referral to first session"
    (index,) = page.radio
    assert index.options == [
        "Wait from referral to first session",
        "First session within a week",
        "Requests for help that led to a start",
    ]
    assert "Numerator" not in told(page) and "Value: median of days" in told(page)
    page.radio[0].set_value("started_within_7").run()
    assert page.header[0].value == "First session within a week"
    assert page.query_params["measure"] in ("started_within_7", ["started_within_7"])


def test_an_address_opens_its_definition_with_questionnaire_and_thresholds(demo: Path) -> None:
    page = with_filters(SCRIPT, measure="recovery", instrument="gad7", profile="strict")
    assert page.header[0].value == "Out of clinical range, GAD-7"
    text = told(page)
    assert "cut-off of the clinical range >= 10" in text
    assert "Change during care, not caused by care" in text
    # The other thresholds of the same declaration are a choice away, on the same card.
    next(box for box in page.selectbox if box.label == "Thresholds").set_value("default").run()
    assert page.header[0].value == "Out of clinical range, GAD-7"
    assert "cut-off of the clinical range >= 8" in told(page)


def test_an_address_that_names_nothing_opens_the_first_definition(demo: Path) -> None:
    page = with_filters(SCRIPT, measure="success_rate", instrument="phq99", profile="best")
    assert failures(page) == []
    assert page.header[0].value == "Wait from referral to first session"


def test_the_card_is_worked_with_the_numbers_of_these_data(demo: Path) -> None:
    text = told(with_filters(SCRIPT, measure="completion"))
    found = re.search(r"In these data: ([\d,]+) of ([\d,]+) = (\d+)%", text)
    assert found is not None
    yes, of, percent = (int(each.replace(",", "")) for each in found.groups())
    assert 0 < yes < of
    assert percent == int(100 * yes / of + 0.5)
    # Of whom that is, and how many are not in it.
    assert re.search(rf"Who is counted: [\d,]+ admitted → .*{yes:,} had completed the program\.", text)
    assert re.search(r"Not counted: [\d,]+ still in the program", text)
    assert re.search(
        rf"For families: Of every 100 people whose time in the program had ended, about {percent} had finished", text
    )


def test_search_looks_in_every_family_and_says_when_nothing_is_found(demo: Path) -> None:
    page = with_filters(SCRIPT)
    page.text_input[0].set_value("hospital 90 leaving").run()
    assert page.radio[0].options == ["Hospital within 90 days of leaving"]
    assert page.header[0].value == "Hospital within 90 days of leaving"
    page.text_input[0].set_value("horoscope").run()
    assert "No definition has the words “horoscope”" in told(page)
    assert not page.radio
