"""Documents that can be generated are, and what is committed is what the program says today."""

import re

from analytics.__main__ import generated_docs
from analytics.intake.report import ADVICE
from analytics.settings import PROJECT_ROOT


def test_generated_pages_are_up_to_date() -> None:
    for name, text in generated_docs().items():
        committed = (PROJECT_ROOT / "docs" / name).read_text(encoding="utf-8")
        assert committed == text, f"docs/{name} is out of date: python -m analytics docs"


def test_every_rule_that_intake_can_give_has_advice() -> None:
    folder = PROJECT_ROOT / "analytics" / "intake"
    # mapping_sql.py names parts of the SQL grammar, not rules; report.py is what is compared with.
    modules = [path for path in folder.glob("*.py") if path.name not in ("report.py", "mapping_sql.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in modules)
    one_word = "REQUIRED|ENCODING|DELIMITER|INCONSISTENT|RANGE"
    given = set(re.findall(rf"""["'|]((?:[A-Z]+_)+[A-Z0-9]+|{one_word})["'|]""", text))
    assert len(given) > 30
    assert given - {"O_BINARY", "CANONICAL_FILES"} <= set(ADVICE)
