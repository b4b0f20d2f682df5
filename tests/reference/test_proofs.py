"""Every proof holds, every case has one or is listed with the reason, and docs/validation.md says today's figures."""

import re
from pathlib import Path

import pytest

from tests.reference import validation
from tests.reference.proof import PROOFS, Proof, run
from tests.reference.proofs_published import over_the_years


@pytest.mark.parametrize("each", PROOFS, ids=lambda each: each.name)
def test_our_numbers_are_theirs(each: Proof, shared: Path) -> None:
    found = run(shared, each)
    assert found.holds, f"{found.difference:g} apart at {found.where}"


def test_every_case_is_proven_or_listed_with_the_reason(shared: Path) -> None:
    proven = {each.case for each in PROOFS}
    listed = {case for _, where, _ in validation.NOT_OFFERED for case in where}
    assert set(validation.cases(shared)) - proven == {"cox_lung"}
    assert proven | listed == set(validation.cases(shared))
    assert all(what and why.endswith(".") for what, _, why in validation.NOT_OFFERED)


def test_no_two_proofs_have_one_name() -> None:
    assert len({each.name for each in PROOFS}) == len(PROOFS)


WITHIN = re.compile(r"(?<=\| )([\d.e-]+) (?=\| [^|]+ \|$)", re.MULTILINE)


def test_the_page_is_up_to_date(shared: Path) -> None:
    """All of it but how close the numbers are: that differs between processors in the last place, by a power of ten."""
    today, committed = validation.page(shared), validation.PAGE.read_text(encoding="utf-8")
    assert WITHIN.sub("", today) == WITHIN.sub("", committed), (
        "docs/validation.md is out of date: python -m tests.reference.validation"
    )
    stated = [float(each) for each in WITHIN.findall(committed)]
    assert len(stated) == len(PROOFS)
    for each, bound in zip(PROOFS, stated, strict=True):
        assert run(shared, each).difference <= 10 * bound, each.name


def test_the_last_line_of_the_page_counts_the_cases() -> None:
    assert validation.PAGE.read_text(encoding="utf-8").splitlines()[-1] == (
        "27 of 28 cases proven. Not offered: cox_lung (Cox models, proportional-hazards test)."
    )


@pytest.mark.long
def test_every_figure_of_england_in_seven_years_is_reached(shared: Path) -> None:
    figures = list(over_the_years(shared, every=True))
    assert len(figures) == 350
    assert [name for name, ours, theirs in figures if abs(ours - theirs) > 0.05] == []
