"""The two largest steps of the outcome tables in pandas, as an analyst would write them for speed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pandas as pd

# Weekly scores of the outcome SQL: week_0 to week_16.
WEEKS: Final = 17


def weeks_and_pairs(state: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Read a state and return attendance by week, attendance by episode, and scores by episode and instrument.

    The same columns as the statements of the outcome SQL that are timed against it.
    """
    return *attendance(state), score_pairs(state)


def attendance(state: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return two tables of sessions.

    One row per episode and week since admission with a session booked: days, sessions, minutes attended. One row per
    episode with a session: sessions by status, late and noted cancellations, minutes by kind, first and last day.
    """
    import pandas as pd

    columns = ["episode_id", "day", "session_type", "status", "minutes", "cancel_notice_hours"]
    sessions = pd.read_parquet(state / "attendance.parquet", columns=columns)
    sessions["session_type"] = sessions["session_type"].astype("category")
    sessions["status"] = sessions["status"].astype("category")
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
    return weeks, _by_episode(sessions, attended)


def _by_episode(sessions: pd.DataFrame, attended: pd.Series[bool]) -> pd.DataFrame:
    episodes = sessions.groupby(["episode_id", "status"], sort=False, observed=True).size().unstack(fill_value=0)
    came = sessions[attended]
    by_type = came.groupby(["episode_id", "session_type"], sort=False, observed=True)["minutes"].sum().unstack()
    days = came.groupby("episode_id", sort=False)["day"].agg(["min", "max"])
    notice = sessions.loc[sessions["status"] == "cancelled_client", ["episode_id", "cancel_notice_hours"]].dropna()
    noted = notice.groupby("episode_id", sort=False).size().rename("notice_recorded")
    late = notice[notice["cancel_notice_hours"] < 24].groupby("episode_id", sort=False).size().rename("late")
    return episodes.join(by_type).join(days).join(noted).join(late)


def score_pairs(state: Path) -> pd.DataFrame:
    """One row per episode and instrument with a baseline: first and last total, their days, how many scores, by week.

    The windows of the product (baseline from day -14 to 7, last until a week after discharge) and its order
    (nearest to admission, the earlier, complete before prorated), item 9 with both, first and last complete score, and
    the last score of each of the first 17 weeks; without its rules for two stays of one person.
    """
    import pandas as pd

    columns = ["episode_id", "instrument", "day", "total", "item_9", "is_prorated"]
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
    picked = ["total", "day", "item_9"]
    first = early.drop_duplicates(key).set_index(key)[picked]
    late = scores.sort_values(["day", "is_prorated"], ascending=[False, True], kind="stable")
    last = late.drop_duplicates(key).set_index(key)[picked]
    pairs = first.join(last, rsuffix="_last")
    pairs["scores"] = scores.groupby(key, observed=True).size()
    later = pairs["day_last"] > pairs["day"]
    at_the_end = [f"{name}_last" for name in picked]
    pairs[at_the_end] = pairs[at_the_end].where(later)
    complete = late.loc[~late["is_prorated"], [*key, "total"]]
    ends = complete.drop_duplicates(key).set_index(key)
    begins = complete.drop_duplicates(key, keep="last").set_index(key)
    pairs = pairs.join(begins.rename(columns={"total": "complete"})).join(ends, rsuffix="_complete_last")
    late["week"] = late["day"].clip(lower=0) // 7
    weekly = late.loc[late["week"] < WEEKS, [*key, "week", "total"]].drop_duplicates([*key, "week"])
    return pairs.join(weekly.set_index([*key, "week"])["total"].unstack())
