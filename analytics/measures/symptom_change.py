"""Change of symptom scores: each declaration becomes a measure for every instrument that has its thresholds.

"Clearly" means reliable change and nothing else. The base is everybody who left the program, also those who
came only once; without a pair of scores the outcome is not known.
"""

from __future__ import annotations

from analytics.measures.symptom_binding import WINDOW_WEEKS, SymptomMeasure
from analytics.measures.types import Estimator

RELIABLE = "Jacobson & Truax 1991, doi:10.1037/0022-006X.59.1.12"
# From the ill side of the cut-off to the well side; on it is neither.
ACROSS = "({first} - $own_cutoff) * $direction > 0 and ({last} - $own_cutoff) * $direction < 0"

paired_score = SymptomMeasure(
    id="paired_score",
    title="Measured twice, {name}",
    question="For how many of the people who left do we know a {name} score at the start and a later one?",
    did="have a score at the start and a later one",
    family="For about {per_100} of every 100 people who left we know the score at the start and a later one.",
    success="{last} is not null",
    is_change=False,
    knows_everybody=True,
    estimator=Estimator.PROPORTION,
    better="higher",
    minimum_for_headline=10,
    source="Joint Commission CTS.03.01.09, EP 1 (read in a secondary source)",
)

mean_change = SymptomMeasure(
    id="mean_change",
    title="Mean change, {name}",
    question="By how many points did the {name} score change from the start to the end, on average?",
    did="changed by this many points",
    family=None,
    no_family="No sentence: points of a score say little to whoever does not know the questionnaire.",
    estimator=Estimator.MEAN_CHANGE,
    better="higher",
    minimum_for_headline=20,
    source="Paired t; effect sizes as in Cumming, Understanding the New Statistics, 2012, ch. 11",
    notes=(
        "A positive change is improvement, whichever way the questionnaire runs.",
        "d_z grows with the correlation of the two scores and must never be compared with d_av. The "
        "interval of d_av (Algina & Keselman) is not verified.",
    ),
)

mixed_model_slope = SymptomMeasure(
    id="mixed_model_slope",
    title="Change per week, {name}",
    question="By how many points does the {name} score change from week to week, on the typical path?",
    did="changed by this many points per week",
    family=None,
    no_family="No sentence: points of a score say little to whoever does not know the questionnaire.",
    estimator=Estimator.SLOPE,
    better="higher",
    everybody=True,
    of_whom="of people admitted",
    unknown_words="no score during the stay",
    known_words="with a score",
    window=WINDOW_WEEKS,
    source="Laird & Ware 1982, doi:10.2307/2529876; REML as in lme4, Bates 2015, doi:10.18637/jss.v067.i01",
    profiles=("default",),
    notes=(
        "Everybody with at least one score is in it, also people still in the program and those who left early. Plus "
        "is improvement, whichever way the questionnaire runs.",
        "Right when scores are missing for reasons that the scores before explain; wrong when people leave because "
        "they are about to get worse.",
        "One straight line through weeks 0 to 16; with 30 stays of three scores or more, each has a slope of its own. "
        "How many scores each week has is given. It says nothing about weeks that few people reach.",
        "All stays are used, none are sampled: the snapshot adds them up by the weeks they have. Stays of one person "
        "count as different people.",
    ),
)

reliable_improvement = SymptomMeasure(
    id="reliable_improvement",
    title="Clearly better, {name}",
    question="Of the people who left, how many were clearly {better} than at the start ({name})?",
    did="were clearly {better} at the end",
    family=("Of every 100 people with a score at the start and at the end, about {per_100} were clearly {better}."),
    success="{change} >= $reliable_change",
    thresholds=("reliable_change",),
    estimator=Estimator.PROPORTION,
    better="higher",
    source=RELIABLE,
    notes=(
        "Clearly: by at least the threshold in the table, which stands for more than the questionnaire's own error. "
        "The usual thresholds are lower than some published estimates of that error; profile strict uses larger ones.",
    ),
)

reliable_deterioration = SymptomMeasure(
    id="reliable_deterioration",
    title="Clearly worse, {name}",
    question="Of the people who left, how many were clearly {worse} than at the start ({name})?",
    did="were clearly {worse} at the end",
    family=("Of every 100 people with a score at the start and at the end, about {per_100} were clearly {worse}."),
    success="{change} <= -$reliable_change",
    thresholds=("reliable_change",),
    printed=(
        (
            "started where getting clearly worse was possible",
            "case when {last} is not null then {room_to_worsen} >= $reliable_change end",
            "started too near the worst score for it",
        ),
    ),
    estimator=Estimator.PROPORTION,
    better="lower",
    source=RELIABLE,
    notes=(
        "People who left early are measured less often, so worsening may be hidden among the unmeasured.",
        "Whoever starts near the worst score cannot get clearly worse: how many of those measured twice could has a "
        "line of its own.",
    ),
)

no_reliable_change = SymptomMeasure(
    id="no_reliable_change",
    title="No clear change, {name}",
    question="Of the people who left, how many were neither clearly better nor clearly worse ({name})?",
    did="were neither clearly better nor clearly worse",
    family=(
        "Of every 100 people with a score at the start and at the end, about {per_100} were neither clearly "
        "better nor clearly worse."
    ),
    success="abs({change}) < $reliable_change",
    thresholds=("reliable_change",),
    estimator=Estimator.PROPORTION,
    better="neutral",
    source=RELIABLE,
)

rci_jacobson_truax = SymptomMeasure(
    id="rci_jacobson_truax",
    title="Better by own data, {name}",
    question=(
        "Of the people who left, how many were better by more than the questionnaire's error, worked out from our own "
        "first scores ({name})?"
    ),
    did="were better by more than the questionnaire's error in our own data",
    family=None,
    no_family="No sentence: the threshold moves with the people measured, so no two programs share it.",
    success="{change} > $own_reliable_change",
    of_cohort={
        "own_sd": "{sd_first}",
        "own_reliable_change": "1.96 * sqrt(2 * (1 - $reliability)) * {sd_first}",
        "own_cutoff": "{cutoff_of_our_own}",
    },
    also_counted={
        "recovered": f"{{change}} > $own_reliable_change and {ACROSS}",
        "improved, not recovered": f"{{change}} > $own_reliable_change and ({ACROSS}) is not true",
        "unchanged": "abs({change}) <= $own_reliable_change",
        "deteriorated": "{change} < -$own_reliable_change",
    },
    thresholds=("reliability",),
    estimator=Estimator.PROPORTION,
    better="higher",
    source=RELIABLE,
    profiles=("default",),
    notes=(
        "Reliable change index above 1.96: more points than 1.96 × √2 × SD × √(1 − reliability). The SD is that of all "
        "first scores of those counted, measured again or not; every group of a split is held against the same "
        "threshold. SD, threshold and cut-off stand beside the figure.",
        "Recovered: also from the ill side to the well side of the cut-off. It is cut-off a, two SD from our own mean "
        "first score, unless the questionnaire's file has mean and SD of people in general: then c. None that we have "
        "read is in those that come with the program.",
        "Clearly better has a threshold that others published and is the one to compare; this one tells whether it "
        "fits the people measured here.",
    ),
)

recovery = SymptomMeasure(
    id="recovery",
    title="Out of clinical range, {name}",
    question="Of the people who started in the clinical range and left, how many ended out of it ({name})?",
    did="ended out of the clinical range",
    family=(
        "Of every 100 people who started in the clinical range and were measured again, about {per_100} "
        "ended out of it."
    ),
    success="{last_not_case}",
    thresholds=("caseness",),
    estimator=Estimator.PROPORTION,
    better="higher",
    source="NHS Talking Therapies, recovery",
    notes=(
        "One point over the line counts. Reliable recovery asks for a clear change as well.",
        "Whoever started out of the clinical range cannot recover and is a rung of the ladder.",
    ),
)

reliable_recovery = SymptomMeasure(
    id="reliable_recovery",
    title="Clearly better and recovered, {name}",
    question=(
        "Of the people who started in the clinical range and left, how many were clearly better and out of it ({name})?"
    ),
    did="were clearly better and out of the clinical range",
    family=(
        "Of every 100 people who started in the clinical range and were measured again, about {per_100} "
        "were clearly better and out of it."
    ),
    success="{last_not_case} and {change} >= $reliable_change",
    thresholds=("caseness", "reliable_change"),
    estimator=Estimator.PROPORTION,
    better="higher",
    source=f"NHS Talking Therapies, reliable recovery; {RELIABLE}",
    notes=("People who start just inside the clinical range need a large part of their score to fall.",),
)

response = SymptomMeasure(
    id="response",
    title="Symptoms at least halved, {name}",
    question=("Of the people who started in the clinical range and left, how many had at least halved their {name}?"),
    did="had at least halved their symptoms",
    family=(
        "Of every 100 people who started in the clinical range and were measured again, the symptoms of "
        "about {per_100} had at least halved."
    ),
    success="{change} >= $response * {first}",
    thresholds=("caseness", "response"),
    lower_only=True,
    estimator=Estimator.PROPORTION,
    better="higher",
    source="NQF 1884; Coley 2020, doi:10.1176/appi.ps.201900295",
    notes=("It depends least on how severe the start was, so it suits comparisons between groups.",),
)

remission = SymptomMeasure(
    id="remission",
    title="Almost no symptoms left, {name}",
    question=(
        "Of the people who started in the clinical range and left, how many had almost no symptoms left ({name})?"
    ),
    did="had almost no symptoms left",
    family=(
        "Of every 100 people who started in the clinical range and were measured again, about {per_100} had "
        "almost no symptoms left."
    ),
    success="{last_in_remission}",
    thresholds=("caseness", "remission"),
    estimator=Estimator.PROPORTION,
    better="higher",
    source="NQF 0710; CMS159",
    notes=("People with a milder start reach it more easily.",),
)

mcid_improved = SymptomMeasure(
    id="mcid_improved",
    title="Better by what people notice, {name}",
    question="Of the people who left, how many were better by as much as people usually notice ({name})?",
    did="were better by as much as people usually notice",
    family=(
        "Of every 100 people with a score at the start and at the end, about {per_100} were better by as much as "
        "people usually notice."
    ),
    success="{change} >= $mcid",
    thresholds=("mcid",),
    estimator=Estimator.PROPORTION,
    better="higher",
    source="Smallest change that people notice, from the questionnaire's own studies",
    profiles=("default",),
    notes=("It can be less than the questionnaire's own error: it is not called clear change.",),
)

severity_band_shift = SymptomMeasure(
    id="severity_band_shift",
    title="In a milder band, {name}",
    question="Of the people who left, how many ended in a milder band of severity than they started in ({name})?",
    did="ended in a milder band than at the start",
    family=(
        "Of every 100 people with a score at the start and at the end, about {per_100} ended in a milder band than "
        "they had started in."
    ),
    success="{last_band} < {first_band}",
    estimator=Estimator.PROPORTION,
    better="higher",
    minimum_for_headline=10,
    source="The questionnaire's bands of severity; every move from band to band is counted beside it",
    with_bands=True,
    profiles=("default",),
    notes=("A band is crossed by one point: read it beside reliable change.",),
)

no_use_at_last = SymptomMeasure(
    id="no_use_at_last",
    title="No use at last, {name}",
    question="Of the people who left, how many reported no use at all when last asked ({name})?",
    did="reported no use at all when last asked",
    family=(
        "Of every 100 people with a score at the start and at the end, about {per_100} reported no use of alcohol or "
        "drugs when last asked."
    ),
    success="{last} = 0",
    is_change=False,
    construct="substance use",
    estimator=Estimator.PROPORTION,
    better="higher",
    minimum_for_headline=20,
    source="Brief Addiction Monitor, domain Use: 0 at the last score",
    profiles=("default",),
    notes=(
        "What people say of the days that the questionnaire looks back on, not what a test saw.",
        "How many reported none at the start, and so had nothing to lose, has a line of its own.",
    ),
    printed=(
        (
            "reported use at the start",
            "case when {last} is not null then {first} > 0 end",
            "reported none at the start",
        ),
    ),
)

mbc_fidelity = SymptomMeasure(
    id="mbc_fidelity",
    title="Scores on time, {name}",
    question="Of the {name} scores that were due while people were in the program, how many came on time?",
    did="came on time",
    family="Of every 100 times we should have asked, we did so on time about {per_100} times.",
    window="due on day 0 and then every so many days of the stay; on time: within three days",
    is_change=False,
    unknown_words="scores not recorded",
    known_words="with a score due",
    steps=(("in the program long enough for one", "due_scores > 0", "no score due yet"),),
    everybody=True,
    numerator="on_time_scores",
    denominator="due_scores",
    ratio_unit="score",
    estimator=Estimator.RATIO,
    better="higher",
    source="Joint Commission CTS.03.01.09, EP 1 and 2 (read in a secondary source); due on day 0 and then every so "
    "many days, within three days",
    profiles=("default",),
    notes=(
        "Days in hospital are not taken out. How often a score is due is the questionnaire's own rule or this "
        "project's decision.",
    ),
)
