"""Documents that can be generated are, and what is committed is what the program says today."""

from analytics.__main__ import generated_docs
from analytics.measures.catalog import DECLARED
from analytics.settings import PROJECT_ROOT


def test_generated_pages_are_up_to_date() -> None:
    for name, text in generated_docs().items():
        committed = (PROJECT_ROOT / "docs" / name).read_text(encoding="utf-8")
        assert committed == text, f"docs/{name} is out of date: python -m analytics docs"


def test_definitions_are_worked_out_on_the_demo() -> None:
    text = (PROJECT_ROOT / "docs" / "measures.md").read_text(encoding="utf-8")
    sections = text.split("\n### ")[1:]
    assert len(sections) == len(DECLARED)
    without = [each.partition("\n")[0] for each in sections if "- Worked example, " not in each]
    # BAM and C-SSRS, which no program of the demo asks.
    assert without == ["`no_use_at_last`", "`high_risk_ever`", "`high_risk_last`"]
