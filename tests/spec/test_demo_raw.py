"""The raw files of the demo: they obey the rules of the import, and what was planted in them is there.

Everything here reads the CSV files with pandas alone, so that it is a second opinion on the product's
numbers too. `docs/demo.md` prints what `measured` finds.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency

from analytics.demo import DemoFacts, write_raw
from analytics.errors import UsageProblem
from analytics.instruments import find_instrument
from analytics.intake.model import TABLES
from analytics.settings import PROJECT_ROOT
from analytics.store.codes import CODES

LEFT_EARLY = ("left_against_advice", "lost_contact", "administrative")
SMALL_CELL = 11
ID = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
MODELLED = {spec.file: spec for spec in TABLES}
# Files of the format that are written, whether or not the import has a use for them yet.
OTHERS = {"score_items.csv"}


def read_text(file: Path) -> pd.DataFrame:
    return pd.read_csv(file, dtype=str, keep_default_na=False)


@dataclass
class Demo:
    """The rows of the files that obey the rules, by the demo's own rules of thumb, dates as dates."""

    facts: DemoFacts
    folder: Path
    episodes: pd.DataFrame
    attendance: pd.DataFrame
    scores: pd.DataFrame
    substance_use: pd.DataFrame
    readmissions: pd.DataFrame
    followups: pd.DataFrame
    capture: pd.DataFrame

    @property
    def cut(self) -> pd.Timestamp:
        return pd.Timestamp(self.facts.data_cut)

    @property
    def closed(self) -> pd.Series:
        return self.episodes.discharge_date.notna()

    @property
    def left_early(self) -> pd.Series:
        return self.episodes.discharge_reason.isin(LEFT_EARLY)

    @property
    def completed(self) -> pd.Series:
        return self.episodes.discharge_reason == "completed"

    @property
    def los_days(self) -> pd.Series:
        return (self.episodes.discharge_date - self.episodes.admit_date).dt.days

    @property
    def last_attended(self) -> pd.Series:
        attended = self.attendance[self.attendance.status == "attended"]
        return attended.groupby("episode_id").session_date.max().reindex(self.episodes.index)

    def pair(self, instrument: str) -> tuple[pd.Series, pd.Series]:
        """First total (nearest to admission) and last (up to a week after the end) of closed episodes."""
        scores = self.scores[self.scores.instrument == instrument]
        scores = scores.join(self.episodes.admit_date, on="episode_id").join(
            self.los_days.rename("los"), on="episode_id"
        )
        scores["day"] = (scores.assessed_on - scores.admit_date).dt.days
        scores["distance"] = scores.day.abs()
        first = scores[scores.day.between(-14, 7)].sort_values(["distance", "day"])
        first = first.groupby("episode_id").first()
        later = scores.join(first.day.rename("first_day"), on="episode_id")
        later = later[(later.day > later.first_day) & (later.day <= later.los + 7)]
        last = later.sort_values("day").groupby("episode_id").last()
        return first.total.reindex(self.episodes.index), last.total.reindex(self.episodes.index)


def load(folder: Path, facts: DemoFacts) -> Demo:
    def read(name: str, *dates: str) -> pd.DataFrame:
        return pd.read_csv(
            folder / name, parse_dates=list(dates), keep_default_na=False, na_values=[""]
        ).drop_duplicates()

    episodes = read("episodes.csv", "admit_date", "discharge_date", "referral_date")
    episodes = episodes[episodes.discharge_reason != "graduated"].set_index("episode_id")
    attendance = read("attendance.csv", "session_date")
    attendance = attendance[attendance.episode_id.isin(episodes.index)]
    scores = read("scores.csv", "assessed_on")
    highest = scores.instrument.map({name: find_instrument(name).maximum for name in scores.instrument.unique()})
    scores = scores[scores.episode_id.isin(episodes.index) & (scores.total <= highest)]
    return Demo(
        facts,
        folder,
        episodes,
        attendance[attendance.session_date >= attendance.episode_id.map(episodes.admit_date)],
        scores,
        read("substance_use.csv", "observed_on"),
        read("readmissions.csv", "admit_date", "discharge_date"),
        read("followups.csv", "attempted_on", "completed_on"),
        read("capture.csv", "from", "to"),
    )


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("small")
    return load(folder, write_raw(folder, episodes=400, seed=3))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("demo")
    return load(folder, write_raw(folder))


# The files obey the rules


def test_the_same_number_and_seed_give_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("one", 5), ("same", 5), ("other", 6)):
        write_raw(tmp_path / name, episodes=120, seed=seed)
    for file in sorted((tmp_path / "one").iterdir()):
        assert file.read_bytes() == (tmp_path / "same" / file.name).read_bytes(), file.name
    for name in ("episodes.csv", "attendance.csv", "scores.csv", "substance_use.csv"):
        assert (tmp_path / "one" / name).read_bytes() != (tmp_path / "other" / name).read_bytes(), name


def test_a_demo_of_one_episode_has_every_file_and_none_is_refused(tmp_path: Path) -> None:
    facts = write_raw(tmp_path, episodes=1)
    assert set(facts.rows) == {file.name for file in tmp_path.iterdir()} == {*MODELLED, *OTHERS}
    assert len(read_text(tmp_path / "episodes.csv").drop_duplicates()) == 1
    with pytest.raises(UsageProblem):
        write_raw(tmp_path, episodes=0)
    with pytest.raises(UsageProblem):
        write_raw(tmp_path, seed=-1)


def test_the_facts_count_the_rows_of_the_files(small: Demo) -> None:
    for name, rows in small.facts.rows.items():
        assert len(read_text(small.folder / name)) == rows, name
    assert (str(small.facts.data_cut), str(small.facts.import_date)) == ("2026-09-30", "2026-10-05")
    assert len(small.episodes) == small.facts.episodes == 400


@pytest.mark.parametrize("file", sorted(MODELLED))
def test_every_column_and_value_is_one_the_import_knows(small: Demo, file: str) -> None:
    spec = MODELLED[file]
    table = read_text(small.folder / file)
    assert set(table.columns) <= {column.name for column in spec.columns}
    for column in spec.columns:
        if column.name not in table.columns:
            assert not (column.required or column.present), column.name
            continue
        values = table[column.name]
        assert not (column.required and (values == "").any()), column.name
        values = values[values != ""]
        match column.kind:
            case "id":
                assert values.str.fullmatch(ID).all(), column.name
            case "date":
                assert pd.to_datetime(values, format="%Y-%m-%d").max() <= pd.Timestamp(small.facts.data_cut)
            case "code" | "age_band":
                # "graduated" is the planted mistake.
                assert set(values) <= {*CODES[column.codes], "graduated"}, column.name
            case "boolean":
                assert set(values) <= {"true", "false"}, column.name
            case "word" | "codes":
                assert values.str.fullmatch(r"[a-z0-9_|]{1,32}").all() or column.kind == "codes", column.name
            case "integer" | "number":
                numbers = pd.to_numeric(values)
                assert numbers.between(column.low or 0, column.high or np.inf).all(), column.name


def test_referrals_and_satisfaction_have_their_words(small: Demo) -> None:
    referrals = read_text(small.folder / "referrals.csv")
    assert list(referrals) == ["referral_id", "person_id", "received_on", "source", "decision", "episode_id"]
    assert not referrals.referral_id.duplicated().any() and referrals.referral_id.str.fullmatch(ID).all()
    assert set(referrals.source) <= set(CODES["referral_source"])
    assert ((referrals.episode_id != "") == (referrals.decision == "admitted")).all()
    assert pd.to_datetime(referrals.received_on).max() <= small.cut
    answers = pd.read_csv(small.folder / "satisfaction.csv")
    assert set(answers.program_id) <= set(small.episodes.program_id)
    assert answers.period.str.fullmatch(r"20\d\d-Q[1-4]").all()
    assert set(answers.respondent) == {"client", "family", "referrer"} and set(answers.instrument) == {"CSQ-8"}
    cell = ["program_id", "period", "respondent"]
    counts, single = answers[answers.response_no.isna()], answers[answers.response_no.notna()]
    assert not counts.duplicated(cell).any()
    assert (counts.answered <= counts.invited).all() and (counts.invited > 0).all()
    assert counts.total.isna().all() and counts.recommend.isna().all() and single.invited.isna().all()
    assert single.total.between(8, 32).all() and single.recommend.between(1, 4).all()
    # There are as many answers as the counts say, and their numbers begin at 1.
    given = single.groupby(cell).response_no.agg(["count", "max"])
    said = counts.set_index(cell).answered
    assert (given["count"] == given["max"]).all() and (given["count"] == said[said > 0].sort_index()).all()


def test_cost_and_places_of_every_program_and_month(small: Demo) -> None:
    costs = pd.read_csv(small.folder / "finance.csv")
    assert not costs.duplicated(["program_id", "period"]).any()
    assert costs.period.min() == "2023-10" and costs.period.max() == "2026-09"
    assert (costs.cost > 0).all() and (costs.capacity_slots > 0).all()
    # Places are more than what was booked, and not twice as many.
    assert 1 < costs.capacity_slots.sum() / len(small.attendance) < 2


def test_the_mistakes_on_purpose_are_few_and_counted(small: Demo) -> None:
    tables = {name: read_text(small.folder / name) for name in ("episodes.csv", "attendance.csv", "scores.csv")}
    found: Counter[tuple[str, str]] = Counter()
    for name, table in tables.items():
        found[name, "DUPLICATE_EXACT"] += int(table.duplicated().sum())
    episodes = tables["episodes.csv"].drop_duplicates()
    unknown = episodes.discharge_reason == "graduated"
    found["episodes.csv", "BAD_ENUM"] = int(unknown.sum())
    refused = set(episodes.episode_id[unknown])
    for name in ("attendance.csv", "scores.csv"):
        found[name, "FK_MISSING"] = int(tables[name].episode_id.isin(refused).sum())
    sessions = tables["attendance.csv"].drop_duplicates()
    admitted = sessions.episode_id.map(episodes.set_index("episode_id").admit_date)
    found["attendance.csv", "DATE_OUTSIDE_EPISODE"] = int((sessions.session_date < admitted).sum())
    highest = tables["scores.csv"].instrument.map(lambda name: find_instrument(name).maximum)
    found["scores.csv", "SCORE_RANGE"] = int((tables["scores.csv"].total.astype(int) > highest).sum())
    assert dict(found) == small.facts.mess
    rows = sum(small.facts.rows[name] for name in tables)
    assert 0.002 < sum(small.facts.mess.values()) / rows < 0.006
    # A refused episode has no other rows than sessions and scores that an import would refuse with it.
    for name in ("substance_use.csv", "followups.csv", "referrals.csv"):
        assert not refused & set(read_text(small.folder / name).episode_id)


def test_keys_are_unique_but_for_the_exact_duplicates(small: Demo) -> None:
    for file, spec in MODELLED.items():
        table = read_text(small.folder / file).drop_duplicates()
        key = [*spec.key, *([spec.optional_key] if spec.optional_key in table.columns else [])]
        assert not table.duplicated(key).any(), file


def test_every_row_has_its_parent(small: Demo) -> None:
    episodes = small.episodes
    for name in ("substance_use.csv", "followups.csv", "score_items.csv"):
        assert read_text(small.folder / name).episode_id.isin(episodes.index).all(), name
    for name in ("readmissions.csv", "capture.csv"):
        assert read_text(small.folder / name).person_id.isin(episodes.person_id).all(), name
    referrals = read_text(small.folder / "referrals.csv")
    admitted = referrals[referrals.decision == "admitted"]
    assert (admitted.episode_id.map(episodes.person_id) == admitted.person_id).all()
    assert not referrals.person_id[referrals.decision != "admitted"].isin(episodes.person_id).any()


def test_discharge_date_and_reason_come_together_and_in_order(small: Demo) -> None:
    episodes = small.episodes
    assert (episodes.discharge_date.isna() == episodes.discharge_reason.isna()).all()
    assert (episodes.discharge_date.isna() == episodes.discharged_to.isna()).all()
    assert episodes.discharge_date.isna().any()
    assert not (episodes.discharge_date < episodes.admit_date).any()
    assert not (episodes.referral_date > episodes.admit_date).any()
    assert episodes.admit_date.min() >= pd.Timestamp("2023-10-01")


def test_stays_of_a_person_follow_each_other(small: Demo) -> None:
    stays = small.episodes.sort_values(["person_id", "admit_date"])
    before = stays.groupby("person_id").discharge_date.shift()
    again = stays.person_id.duplicated()
    assert again.sum() > 20
    assert (stays.admit_date[again] > before[again]).all()  # also never NaT: an open stay is a person's last
    hospital = small.readmissions.sort_values(["person_id", "admit_date"])
    end = hospital.groupby("person_id").discharge_date.shift()
    second = hospital.person_id.duplicated()
    assert (hospital.admit_date[second] >= end[second]).all()
    assert not (hospital.discharge_date < hospital.admit_date).any()


def test_sessions_lie_inside_the_stay_and_minutes_agree_with_the_status(small: Demo) -> None:
    sessions = small.attendance.join(small.episodes[["admit_date", "discharge_date"]], on="episode_id")
    until = sessions.discharge_date.fillna(small.cut)
    assert sessions.session_date.between(sessions.admit_date, until).all()
    attended = sessions.status == "attended"
    assert (sessions.minutes[attended] > 0).all() and (sessions.minutes[~attended] == 0).all()
    assert (sessions.minutes <= sessions.scheduled_minutes).all()
    assert (sessions.cancel_notice_hours.notna() == (sessions.status == "cancelled_client")).all()
    assert set(sessions.session_type) == {"group", "individual", "family", "medication"}
    # A cancelled program day is cancelled for everybody.
    day = sessions.assign(program=sessions.episode_id.map(small.episodes.program_id))
    closed = day.assign(closed=day.status == "cancelled_program").groupby(["program", "session_date"]).closed
    assert set(closed.mean().unique()) == {0.0, 1.0}


def test_scores_lie_around_the_stay_and_items_add_up(small: Demo) -> None:
    scores = small.scores.join(small.episodes[["admit_date", "discharge_date", "population"]], on="episode_id")
    day = (scores.assessed_on - scores.admit_date).dt.days
    after = (scores.assessed_on - scores.discharge_date).dt.days
    assert day.min() >= -14 and after.max() <= 7 and (scores.total >= 0).all()
    with_item = scores[scores.item_9.notna()]
    assert set(with_item.instrument) == {"PHQ-9"} and (with_item.item_9 <= with_item.total).all()
    assert set(scores.instrument[scores.population == "adolescent"]) == {"PHQ-A", "GAD-7"}
    items = pd.read_csv(small.folder / "score_items.csv")
    total = items.groupby(["episode_id", "assessed_on"]).value.agg(["sum", "size"])
    asked = small.scores[small.scores.instrument == "PHQ-9"]
    asked = asked.assign(assessed_on=asked.assessed_on.dt.strftime("%Y-%m-%d"))
    scored = asked.set_index(["episode_id", "assessed_on"]).total
    assert (total["size"] == 9).all() and items.value.between(0, 3).all()
    assert (total["sum"] == scored.reindex(total.index)).all()


def test_substance_use_is_asked_where_it_is_treated(small: Demo) -> None:
    rows = small.substance_use.join(small.episodes[["track", "admit_date", "discharge_date"]], on="episode_id")
    assert set(rows.track) == {"substance_use", "co_occurring"}
    assert rows.observed_on.between(rows.admit_date, rows.discharge_date.fillna(small.cut)).all()
    reports = rows.source == "self_report"
    assert (rows.days_used_past_30.notna() == reports).all()
    assert ((rows.days_used_past_30 > 0) == (rows.result == "positive"))[reports].all()
    assert {"negative", "positive", "prescribed_positive", "missed"} <= set(rows.result[~reports])


def test_follow_ups_come_after_the_end_and_only_reached_people_answer(small: Demo) -> None:
    calls = small.followups.join(small.episodes[["discharge_date", "track", "consent_followup"]], on="episode_id")
    days = (calls.attempted_on - calls.discharge_date).dt.days
    windows = {30: (21, 45), 90: (75, 120), 180: (150, 240), 365: (335, 425)}
    assert set(calls.due_day) == set(windows)
    for due_day, (first, last) in windows.items():
        assert days[calls.due_day == due_day].dropna().between(first, last).all()
    assert (calls.reached == (calls.outcome == "completed")).all()
    assert (calls.completed_on.notna() == calls.reached).all()
    use = calls.days_abstinent_past_30
    assert (use.notna() == (calls.reached & (calls.track != "mental_health"))).all()
    # No use since discharge is never less than 30 days without.
    assert (use[calls.any_use_since_discharge.eq(False).fillna(False).astype(bool)] == 30).all()
    assert not (calls.reached & ~calls.consent_followup).any()


def test_hospital_stays_are_on_file_only_where_they_could_be_seen(small: Demo) -> None:
    seen = small.readmissions.merge(small.capture, on="person_id", how="left")
    assert seen["from"].notna().all()
    assert (seen.admit_date >= seen["from"]).all() and (seen.admit_date <= seen["to"]).all()


def test_paperwork_of_people_who_left_early_is_late(small: Demo) -> None:
    lag = (small.episodes.discharge_date - small.last_attended).dt.days
    assert lag[small.left_early].dropna().between(3, 30).all()
    assert lag[small.closed & ~small.left_early].between(0, 1).all()
    # Some never came at all.
    assert small.last_attended[small.left_early].isna().any()


def test_the_provider_is_as_described(demo: Demo) -> None:
    episodes = demo.episodes
    sizes = episodes.program_id.value_counts()
    assert len(sizes) == 10 and sizes.between(40, 500).all()
    assert episodes.site.nunique() == 4
    assert set(episodes.level_of_care) == {"IOP", "PHP"} and set(episodes.planned_weeks) == {6, 8, 12}
    assert (episodes.population.eq("adolescent") == episodes.age_band.eq("12-17")).all()
    assert set(episodes.modality) == set(CODES["modality"])
    assert set(episodes.track) == set(CODES["track"])
    assert set(episodes.discharge_reason.dropna()) == set(CODES["discharge_reason"])
    assert episodes.admit_date.dt.to_period("M").nunique() == 36
    assert 25 < len(demo.attendance) / len(episodes) < 50
    assert 10 < len(demo.scores) / len(episodes) < 20


# The truths. Each function returns what docs/demo.md prints; each test says what must be so.


def share(flag: pd.Series) -> str:
    return f"{100 * flag.mean():.1f}% of {len(flag):,}"


def modality_rates(demo: Demo) -> tuple[pd.Series, pd.DataFrame]:
    """Completion by modality, and by baseline severity (PHQ-9 or PHQ-A) and modality, of closed episodes."""
    first = demo.pair("PHQ-9")[0].fillna(demo.pair("PHQ-A")[0])
    names = ["mild", "moderate", "moderately severe", "severe"]
    band = pd.cut(first, [4, 9, 14, 19, 27], labels=names)
    completed = demo.completed[demo.closed]
    modality = demo.episodes.modality[demo.closed]
    return completed.groupby(modality).mean(), completed.groupby(
        [band[demo.closed], modality], observed=True
    ).mean().unstack()


def improved(demo: Demo) -> pd.Series:
    """Reliable improvement on the PHQ-9 (six points) of closed episodes with both scores."""
    first, last = demo.pair("PHQ-9")
    measured = demo.closed & first.notna() & last.notna()
    return (first - last)[measured] >= 6


def length_rates(demo: Demo) -> tuple[pd.Series, pd.Series]:
    better = improved(demo)
    weeks = pd.cut(demo.los_days, [-1, 27, 48, 10_000], labels=["under 4", "4 to 6", "7 and more"])
    return (
        better.groupby(demo.episodes.planned_weeks[better.index]).mean(),
        better.groupby(weeks[better.index], observed=True).mean(),
    )


def no_shows(demo: Demo) -> pd.Series:
    """Share of no-shows among attended and missed sessions, by month."""
    sessions = demo.attendance[demo.attendance.status.isin(["attended", "no_show"])]
    return (sessions.status == "no_show").groupby(sessions.session_date.dt.to_period("M")).mean()


def without_second_score(demo: Demo) -> tuple[pd.Series, pd.Series]:
    """Of closed episodes with a PHQ-9 (teens: PHQ-A) at the start: no later one; and left early."""
    first, last = (adult.fillna(teen) for adult, teen in zip(demo.pair("PHQ-9"), demo.pair("PHQ-A"), strict=True))
    base = demo.closed & first.notna()
    return last.isna()[base], demo.left_early[base]


def deteriorated(demo: Demo) -> pd.Series:
    first, last = demo.pair("PHQ-9")
    measured = demo.closed & first.notna() & last.notna()
    return (first - last)[measured] <= -6


def reached(demo: Demo, due_day: int = 180, window_ends: int = 240) -> pd.Series:
    """Of episodes whose window has closed: somebody was reached."""
    due = demo.closed & (demo.episodes.discharge_date + pd.Timedelta(days=window_ends) <= demo.cut)
    calls = demo.followups[demo.followups.due_day == due_day].set_index("episode_id").reached
    return calls.reindex(demo.episodes.index[due]).fillna(False).astype(bool)


def without_baseline(demo: Demo) -> pd.Series:
    first = demo.pair("PHQ-9")[0].fillna(demo.pair("PHQ-A")[0])
    return first.isna()[demo.closed].groupby(demo.episodes.site[demo.closed]).mean()


def small_groups(demo: Demo) -> tuple[int, int]:
    """People with music therapy; and how many groups of a program and a gender have 1 to 10 people."""
    persons = demo.episodes.groupby(["program_id", "gender"]).person_id.nunique()
    music = demo.episodes[demo.episodes.therapy.str.contains("music")].person_id.nunique()
    return music, int((persons < SMALL_CELL).sum())


def gaps(demo: Demo) -> pd.Series:
    """Days between a person's discharge and next admission."""
    stays = demo.episodes.sort_values(["person_id", "admit_date"])
    return (stays.admit_date - stays.groupby("person_id").discharge_date.shift()).dt.days.dropna()


def readmitted(demo: Demo) -> tuple[pd.Series, int, int]:
    """Unplanned hospital stay on day 1 to 30 of people seen that long; direct transfers; planned stays."""
    episodes = demo.episodes
    ends = demo.last_attended.where(demo.left_early, episodes.discharge_date)
    ends = ends.fillna(episodes.discharge_date)
    seen_until = episodes.person_id.map(demo.capture.set_index("person_id")["to"])
    index = demo.closed & (episodes.discharge_reason != "deceased")
    index &= ends + pd.Timedelta(days=30) <= seen_until
    stays = demo.readmissions[["person_id", "admit_date", "planned"]]
    events = stays.merge(
        episodes.assign(ends=ends).reset_index()[["episode_id", "person_id", "ends", "discharge_reason"]],
        on="person_id",
    )
    day = (events.admit_date - events.ends).dt.days
    direct = (day == 0) | ((day == 1) & (events.discharge_reason == "transferred_higher"))
    soon = day.between(1, 30) & ~direct
    back = events.episode_id[soon & ~events.planned]
    flag = pd.Series(episodes.index.isin(back), episodes.index)[index]
    return flag, int(direct.sum()), int((soon & events.planned).sum())


def cohort_completion(demo: Demo) -> tuple[pd.DataFrame, pd.Series]:
    """Completion of mature episodes by admission quarter (rate, number); of all closed by month."""
    episodes = demo.episodes
    mature = (demo.cut - episodes.admit_date).dt.days >= 7 * episodes.planned_weeks + 14
    assert demo.closed[mature].all()  # nobody stays longer than that
    quarter = episodes.admit_date.dt.to_period("Q")
    month = episodes.admit_date.dt.to_period("M")
    return (
        demo.completed[mature].groupby(quarter[mature]).agg(["mean", "size"]),
        demo.completed[demo.closed].groupby(month[demo.closed]).mean(),
    )


def measured(demo: Demo) -> dict[str, str]:
    """What docs/demo.md prints for each truth, at the default size and seed."""

    def percent(rates: pd.Series) -> str:
        return ", ".join(f"{name} {100 * rate:.1f}%" for name, rate in rates.items())

    rates, bands = modality_rates(demo)
    planned, attained = length_rates(demo)
    monthly = no_shows(demo)
    missing, left = without_second_score(demo)
    between = gaps(demo)
    back, direct, planned_stays = readmitted(demo)
    quarters, months = cohort_completion(demo)
    music, cells = small_groups(demo)
    return {
        "modality_and_severity": f"Completed, all: in person {100 * rates['in_person']:.1f}%, "
        f"telehealth {100 * rates['telehealth']:.1f}%. "
        + ". ".join(
            f"{str(band).capitalize()}: {100 * row.in_person:.1f}%, {100 * row.telehealth:.1f}%"
            for band, row in bands.iterrows()
        )
        + ".",
        "planned_and_attained_length": f"Improved, by planned weeks: {percent(planned)}. "
        f"By weeks stayed: {percent(attained)}.",
        "reminder_calls": f"No-shows, mean month: {100 * monthly[:'2025-06'].mean():.1f}% until June 2025, "
        f"{100 * monthly['2025-07':].mean():.1f}% since.",
        "second_score": f"No second score: {share(missing[left])} who left early, "
        f"{share(missing[~left])} others. Of those without one {share(left[missing])} had left early.",
        "deterioration": f"Worse: {share(deteriorated(demo))}. Improved: {share(improved(demo))}.",
        "followup_reach": f"Reached at 180 days: {share(reached(demo))} due.",
        "late_baseline": f"No baseline: {percent(without_baseline(demo))}.",
        "small_groups": f"Music therapy: {music} people. Program by gender: {cells} groups of 10 or fewer.",
        "coming_back": f"{(between <= 30).sum()} returns within 30 days, {(between > 30).sum()} later. "
        f"Unplanned hospital stay: {share(back)} seen that long; "
        f"{direct} direct transfers and {planned_stays} planned stays besides.",
        "newest_cohorts": f"Mature episodes by admission quarter: {100 * quarters['mean'].min():.1f}% to "
        f"{100 * quarters['mean'].max():.1f}%. All closed, admitted in July, August, September 2026: "
        f"{', '.join(f'{100 * rate:.1f}%' for rate in months[-3:])}.",
    }


def test_telehealth_looks_better_and_is_worse_at_every_severity(demo: Demo) -> None:
    rates, bands = modality_rates(demo)
    assert rates["telehealth"] - rates["in_person"] > 0.06
    assert len(bands) == 4
    assert (bands["telehealth"] < bands["in_person"]).all()
    size = demo.closed.groupby([demo.episodes.modality]).sum()
    # Standardised to everybody's severity it is worse by more than chance (a standard error is 2.4 points).
    first = demo.pair("PHQ-9")[0].fillna(demo.pair("PHQ-A")[0])[demo.closed]
    weight = pd.cut(first, [4, 9, 14, 19, 27], labels=list(bands.index)).value_counts(normalize=True)
    difference = ((bands["telehealth"] - bands["in_person"]) * weight.reindex(bands.index).to_numpy()).sum()
    assert difference < -0.07 and size.min() > 400


def test_planned_length_hardly_matters_and_attained_length_seems_to(demo: Demo) -> None:
    planned, attained = length_rates(demo)
    assert abs(planned[12] - planned[6]) < 0.10
    assert attained["7 and more"] - attained["under 4"] > 0.20
    assert attained.is_monotonic_increasing


def test_no_shows_fall_when_the_reminder_calls_begin(demo: Demo) -> None:
    months = no_shows(demo)
    assert len(months) == 36 and str(months.index[21]) == "2025-07"
    assert months[21:].max() < months[:21].min()
    assert months[21:].mean() < 0.75 * months[:21].mean()


def test_second_scores_are_missing_mainly_for_people_who_left_early(demo: Demo) -> None:
    missing, left = without_second_score(demo)
    assert left[missing].mean() > 0.6
    assert missing[left].mean() > 5 * missing[~left].mean() > 0


def test_about_six_in_a_hundred_get_reliably_worse(demo: Demo) -> None:
    assert len(deteriorated(demo)) > 1_000
    assert 0.045 < deteriorated(demo).mean() < 0.075


def test_about_half_to_sixty_percent_improve_reliably(demo: Demo) -> None:
    first, last = demo.pair("GAD-7")
    both = demo.closed & first.notna() & last.notna()
    assert 0.50 < improved(demo).mean() < 0.60
    assert 0.50 < ((first - last)[both] >= 4).mean() < 0.60


def test_half_a_year_later_about_55_percent_are_reached(demo: Demo) -> None:
    assert 0.53 < reached(demo).mean() < 0.57
    rates = [reached(demo, *window).mean() for window in ((30, 45), (90, 120), (180, 240), (365, 425))]
    assert rates == sorted(rates, reverse=True)


def test_one_site_asks_too_late_for_a_baseline(demo: Demo) -> None:
    rates = without_baseline(demo)
    assert rates["northgate"] > 0.6 and rates.drop("northgate").max() < 0.10
    # It does ask: after the first week.
    episodes = demo.episodes[demo.episodes.site == "northgate"]
    first = demo.scores[demo.scores.instrument == "PHQ-9"].groupby("episode_id").assessed_on.min()
    day = (first.reindex(episodes.index) - episodes.admit_date).dt.days.dropna()
    assert (day > 7).mean() > 0.5


def test_some_groups_are_too_small_to_show(demo: Demo) -> None:
    music, cells = small_groups(demo)
    assert music == 7 and cells >= 10


def test_some_people_come_back_and_some_need_a_hospital(demo: Demo) -> None:
    between = gaps(demo)
    assert (between <= 30).sum() > 50 and (between > 30).sum() > 50
    assert demo.episodes.person_id.value_counts().max() == 3
    back, direct, planned = readmitted(demo)
    assert 0.08 < back.mean() < 0.10 and direct > 20 and planned >= SMALL_CELL
    assert 0.82 < demo.episodes.person_id.isin(demo.capture.person_id).mean() < 0.88


def test_completion_is_steady_and_only_the_newest_cohorts_seem_to_collapse(demo: Demo) -> None:
    quarters, months = cohort_completion(demo)
    counts = np.column_stack([quarters["mean"] * quarters["size"], (1 - quarters["mean"]) * quarters["size"]])
    assert chi2_contingency(counts.round()).pvalue > 0.05
    assert 0.60 < demo.completed[demo.closed].mean() < 0.65
    usual = demo.completed[demo.closed].mean()
    assert months.iloc[-1] < 0.10 and months.iloc[-2] < usual - 0.15
    assert months.iloc[:-4].between(usual - 0.12, usual + 0.12).all()


def test_about_three_in_five_are_abstinent_at_the_end(demo: Demo) -> None:
    reports = demo.substance_use[demo.substance_use.source == "self_report"]
    reports = reports.join(demo.episodes.discharge_date, on="episode_id")
    days = (reports.observed_on - reports.discharge_date).dt.days
    last = reports[days.between(-14, 7)].sort_values("observed_on").groupby("episode_id").days_used_past_30.last()
    assert len(last) > 300
    assert 0.55 < (last == 0).mean() < 0.65


# The page


def test_the_page_tells_every_truth(demo: Demo) -> None:
    page = (PROJECT_ROOT / "docs" / "demo.md").read_text(encoding="utf-8")
    assert len(demo.facts.truths) == 10
    for truth in demo.facts.truths:
        assert truth.sentence in page and f"{truth.page}. {truth.how_to_see}" in page, truth.id


def test_the_page_shows_the_numbers_that_are_in_the_files(demo: Demo) -> None:
    page = (PROJECT_ROOT / "docs" / "demo.md").read_text(encoding="utf-8")
    found = measured(demo)
    assert set(found) == {truth.id for truth in demo.facts.truths}
    for name, numbers in found.items():
        assert numbers in page, f"docs/demo.md, {name}: {numbers}"
    for file, rows in demo.facts.rows.items():
        assert f"| `{file}` | {rows:,} |" in page, file
    for (file, rule), rows in demo.facts.mess.items():
        assert f"| `{file}` | {rule} | {rows} |" in page, (file, rule)
