"""At the end of the tests: our numbers beside the references'."""

from typing import Any

from analytics.settings import PROJECT_ROOT
from tests.reference.proof import FOUND


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not FOUND:
        return
    from tests.reference import validation

    terminalreporter.section("ours / the references'")
    for line in validation.report(PROJECT_ROOT.parent / "shared"):
        terminalreporter.line(line)
