"""The two largest steps of the outcome tables in pandas, as an analyst would write them for speed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def weeks_and_pairs(state: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read a state and return weeks of attendance, and first and last score of every episode and instrument."""
    return attendance_weeks(state), score_pairs(state)


def attendance_weeks(state: Path) -> pd.DataFrame:
    """One row per episode and week since admission with a session booked: days, sessions, minutes attended."""
    import pandas as pd

    sessions = pd.read_parquet(state / "attendance.parquet", columns=["episode_id", "day", "status", "minutes"])
    sessions["week"] = sessions["day"] // 7
    attended = sessions["status"] == "attended"
    sessions["attended_sessions"] = attended
    sessions["attended_minutes"] = sessions["minutes"].where(attended, 0)
    sessions["no_show_sessions"] = sessions["status"] == "no_show"
    sessions["scheduled_sessions"] = sessions["status"] != "cancelled_program"
    key = ["episode_id", "week"]
    counted = ["attended_sessions", "attended_minutes", "no_show_sessions", "scheduled_sessions"]
    weeks = sessions.groupby(key, sort=False)[counted].sum()
    days = sessions.loc[attended, [*key, "day"]].drop_duplicates().groupby(key, sort=False).size()
    weeks["attended_days"] = days.reindex(weeks.index, fill_value=0)
    return weeks


def score_pairs(state: Path) -> pd.DataFrame:
    """One row per episode and instrument with a baseline: first and last total, their days, how many scores.

    The windows of the product (baseline from day -14 to 7, last until a week after discharge) and its order
    (nearest to admission, the earlier, complete before prorated), without its rules for two stays of one person
    and without its weekly scores.
    """
    import pandas as pd

    columns = ["episode_id", "instrument", "day", "total", "is_prorated"]
    scores = pd.read_parquet(state / "score.parquet", columns=columns)
    scores["instrument"] = scores["instrument"].astype("category")
    stays = pd.read_parquet(state / "episode.parquet", columns=["episode_id", "los_days", "observed_days"])
    stays["until"] = (stays["los_days"] + 7).fillna(stays["observed_days"])
    scores = scores.merge(stays[["episode_id", "until"]], on="episode_id")
    scores = scores[scores["day"].between(-14, scores["until"])]
    key = ["episode_id", "instrument"]
    early = scores[scores["day"] <= 7].copy()
    early["distance"] = early["day"].abs() * 2 + (early["day"] > 0)
    early = early.sort_values(["distance", "is_prorated"], kind="stable")
    first = early.drop_duplicates(key).set_index(key)[["total", "day"]]
    late = scores.sort_values(["day", "is_prorated"], ascending=[False, True], kind="stable")
    last = late.drop_duplicates(key).set_index(key)[["total", "day"]]
    pairs = first.join(last, rsuffix="_last")
    pairs["scores"] = scores.groupby(key, observed=True).size()
    later = pairs["day_last"] > pairs["day"]
    pairs[["total_last", "day_last"]] = pairs[["total_last", "day_last"]].where(later)
    return pairs
