"""Documents that can be generated are, and what is committed is what the program says today."""

from analytics.__main__ import generated_docs
from analytics.settings import PROJECT_ROOT


def test_generated_pages_are_up_to_date() -> None:
    for name, text in generated_docs().items():
        committed = (PROJECT_ROOT / "docs" / name).read_text(encoding="utf-8")
        assert committed == text, f"docs/{name} is out of date: python -m analytics docs"
