"""Hospital stays, coming back and waiting, from raw files that one can count by hand (measures.md 4 A, B and F)."""

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


# measures.md 4.F, return_to_program: "re-admission to the SAME program in 180 d, merged gap applied first"


def test_an_admission_to_another_program_is_no_return(loaded: Loaded) -> None:
    other = stay("E2", 116, None, person_id="P1", program_id="SOUTH")
    loaded.load(400, {"episodes": [stay("E1", 0, 56), other, stay("E3", 0, 56)]})
    assert counted(loaded.value("return_to_program")) == (0, 2, 0)


def test_a_return_is_counted_from_the_course_and_to_any_program_of_it(loaded: Loaded) -> None:
    stays = [
        # Two steps with ten days between them are one course, that of E2; back to the program of its first step: yes.
        stay("E1", 0, 20, program_id="DAY"),
        stay("E2", 30, 60, person_id="P1"),
        stay("E3", 100, 120, person_id="P1", program_id="DAY"),
        # A stay elsewhere lies between, and the return comes after it: day 150 - 56 = 94, yes.
        stay("E4", 0, 56),
        stay("E5", 90, 125, person_id="P4", program_id="SOUTH"),
        stay("E6", 150, 160, person_id="P4"),
        # 30 days: the course goes on.
        stay("E7", 0, 56),
        stay("E8", 86, 100, person_id="P7"),
    ]
    loaded.load(900, {"episodes": stays})
    # The ends of courses: E2, E3; E4, E6, since E5 went on in E6 after 25 days; E8. Yes: E2 and E4.
    assert counted(loaded.value("return_to_program")) == (2, 5, 0)


# measures.md 0, "No file = not collected"; design.md: where input is missing the measure says so


def test_without_the_file_of_hospital_stays_nobody_is_known_to_have_had_none(loaded: Loaded) -> None:
    higher = {"discharge_reason": "transferred_higher"}
    loaded.load(300, {"episodes": [stay("E1", 0, 20, **higher), stay("E2", 0, 56)]})
    for name in ("step_up_during_episode", "step_up_rate"):
        found = loaded.value(name)
        assert (found.has_value, found.details) == (False, {})
        assert found.reason == "Not collected: hospital, residential and detox stays."


# measures.md 4.A, days_referral_to_first_session: "several referrals before one episode -> the earliest not more than
# 60 d before admit"


def test_the_wait_begins_with_the_earliest_request_of_60_days(loaded: Loaded) -> None:
    asked = [(1, 60), (1, 95), (2, 30), (2, 97), (3, 90)]
    loaded.load(
        200,
        {
            # P3 asked on day 90; the date beside the stay, day 95, is not that of the request.
            "episodes": [stay("E1", 100, None), stay("E2", 100, None), stay("E3", 100, None, referral_date=day(95))],
            "attendance": [{"episode_id": f"E{person}", "session_date": day(101)} for person in (1, 2, 3)],
            "referrals": [
                {"referral_id": f"R{number}", "person_id": f"P{person}", "received_on": day(received)}
                for number, (person, received) in enumerate(asked)
            ],
        },
    )
    # Waits of 41 (day 60, not 95), 4 (day 30 is too early) and 11 days.
    found = loaded.value("days_referral_to_first_session")
    assert (found.value, found.denominator) == (11, 3)
    assert counted(loaded.value("started_within_7")) == (1, 3, 0)


def test_a_request_that_names_its_stay_counts_when_nothing_later_is_known(loaded: Loaded) -> None:
    loaded.load(
        200,
        {
            "episodes": [stay("E1", 100, None), stay("E2", 100, None, referral_date=day(92))],
            "attendance": [{"episode_id": f"E{number}", "session_date": day(101)} for number in (1, 2)],
            "referrals": [
                {"referral_id": f"R{n}", "episode_id": f"E{n}", "person_id": f"P{n}", "received_on": day(20)}
                for n in (1, 2)
            ],
        },
    )
    assert loaded.snapshot.query("select wait_days from episode_outcome order by wait_days") == [(8,), (80,)]


# measures.md 4.F, readmission_30d: "persons without capture window = unknown"


def test_whom_no_window_covers_is_not_known_also_where_a_stay_was_seen(loaded: Loaded) -> None:
    stays = [stay(f"E{number}", 0, 56) for number in (1, 2, 3, 4)]
    windows = [{"person_id": f"P{number}", "from": day(0), "to": day(200)} for number in (1, 2)]
    # P1: seen and readmitted; P2: seen and not. P3 and P4: in no window, though P3 was in a hospital.
    loaded.load(
        400,
        {
            "episodes": stays,
            "readmissions": [hospital("P1", 66, 70), hospital("P3", 66, 70)],
            "capture": windows,
        },
    )
    found = loaded.value("readmission_30d")
    assert counted(found) == (1, 2, 2)
    assert found.details["stays seen among the not known"] == 1
