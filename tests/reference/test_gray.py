"""Gray's test against R cmprsk, on sets made here by a formula that R was given too; more: `proofs_competing.py`."""

from math import isnan

import numpy as np
import pytest

from analytics.statistics.gray import gray_test

# cmprsk 2.2-11, `cuminc(time, cause, group)$Tests`: people, groups, seed, statistic of cause 1, of cause 2.
FRESH = [
    (60, 2, 1, 0.000922373577442653, 0.158887004600222),
    (200, 3, 2, 0.202337386366457, 0.509411263197196),
    (500, 4, 3, 0.455346076052713, 0.673499519059396),
    (37, 2, 4, 0.00674826997360916, 0.000858376306258257),
]


def made_up(people: int, groups: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Days with heavy ties, three ways of leaving and censoring, by whole-number arithmetic that R repeats."""
    i = np.arange(people)
    u = (i * 31 + seed * 17) % 97
    cause = np.where(u < 30, 0, np.where(u < 65, 1, np.where(u < 85, 2, 3)))
    group = (i * 13 + i // 7) % groups
    time = (i * 7919 + seed * 104729) % 60 + 1
    return np.maximum(1, time - 5 * group * (u % 3 == 0)), cause, group


@pytest.mark.parametrize(("people", "groups", "seed", "first", "second"), FRESH)
def test_fresh_sets_of_two_to_four_groups_match_cmprsk(
    people: int, groups: int, seed: int, first: float, second: float
) -> None:
    time, cause, group = made_up(people, groups, seed)
    for way, theirs in ((1, first), (2, second)):
        found = gray_test(time, cause, group, of=way)
        assert found.statistic == pytest.approx(theirs, abs=1e-9)
        assert found.degrees_of_freedom == groups - 1
        assert found.score.sum() == pytest.approx(0, abs=1e-9)


def test_counts_by_day_give_what_rows_give() -> None:
    time, cause, group = made_up(300, 3, 5)
    cells, counts = np.unique(np.column_stack([time, cause, group]), axis=0, return_counts=True)
    grouped = gray_test(*cells.T, weight=counts)
    assert grouped.statistic == pytest.approx(gray_test(time, cause, group).statistic, abs=1e-12)


@pytest.mark.parametrize(
    ("time", "cause", "group"),
    [
        ([], [], []),
        ([1, 2], [1, 1], ["a", "a"]),
        ([1, 2], [0, 0], ["a", "b"]),
        ([1, 2], [2, 2], ["a", "b"]),
    ],
)
def test_nothing_to_compare_is_not_a_number(
    time: list[int], cause: list[int], group: list[str], recwarn: pytest.WarningsRecorder
) -> None:
    assert isnan(gray_test(time, cause, group).statistic)
    assert not recwarn.list


def test_everybody_leaving_at_once_gives_no_warning(recwarn: pytest.WarningsRecorder) -> None:
    gray_test([5] * 20, [1] * 10 + [2] * 10, [0, 1] * 10)
    gray_test([5] * 20, [1] * 20, [0, 1] * 10)
    assert not recwarn.list


def test_columns_have_one_length() -> None:
    with pytest.raises(ValueError, match="same length"):
        gray_test([1, 2], [1, 1], ["a"])
