"""Hospital stays, coming back and waiting, each from raw files that one can count by hand (measures.md 4 A, B and F)."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest

from analytics.measures import ALL, Estimate, evaluate, find
from tests.spec.raw_files import Provider, Row

FIRST_DAY = date(2024, 1, 1)


def day(number: int) -> date:
    return FIRST_DAY + timedelta(number)


def stay(episode: str, start: int, end: int | None, **columns: object) -> Row:
    """A stay of a person of its own number (E1 of P1), completed where it ended."""
    closed = {"discharge_date": day(end), "discharge_reason": "completed"} if end is not None else {}
    return {"episode_id": episode, "person_id": f"P{episode[1:]}", "admit_date": day(start), **closed, **columns}


def hospital(person: str, start: int, end: int) -> Row:
    return {"person_id": person, "admit_date": day(start), "discharge_date": day(end)}


class Loaded:
    """One import, asked for everybody's estimate of a measure."""

    def __init__(self, home: Path) -> None:
        self.provider = Provider(home)

    def load(self, cut: int, files: Mapping[str, list[Row]]) -> None:
        self.provider.load(files, cut=day(cut))
        self.snapshot = self.provider.open()

    def value(self, name: str) -> Estimate:
        (result,) = evaluate([find(name)], self.snapshot)
        return result.estimates[ALL]


@pytest.fixture
def loaded(tmp_path: Path) -> Iterator[Loaded]:
    clinic = Loaded(tmp_path)
    yield clinic
    clinic.snapshot.close()


def counted(estimate: Estimate) -> tuple[int, int, int]:
    return estimate.numerator, estimate.denominator, estimate.unknown


# measures.md 4.B, step_up_during_episode: "Also per 1,000 enrolled days over all episodes"


def test_a_hospital_stay_of_somebody_still_here_counts_in_the_rate_and_not_among_those_who_left(
    loaded: Loaded,
) -> None:
    # E1: 56 days, and left. E2: here since day 500, seen up to day 632, so 132 days; in a hospital from day 520 on.
    stays = [stay("E1", 0, 56), stay("E2", 500, None)]
    loaded.load(632, {"episodes": stays, "readmissions": [hospital("P2", 520, 525)]})
    assert counted(loaded.value("step_up_rate")) == (1, 56 + 132, 0)
    assert counted(loaded.value("step_up_during_episode")) == (0, 1, 0)
