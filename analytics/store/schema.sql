-- Row tables of a snapshot. Whole days relative to an episode's admission (`day`) or discharge (follow-up);
-- person-level events lie on the person's own time line: days since the person's first admission (`start_day`).
-- No dates, no source identifiers, and nothing from which a date follows. Uniqueness and parents are
-- asserted by query after load (analytics/store/verify.py); the ENUM types come from analytics/store/codes.py,
-- `program_code` and `site_code` from the data. Whole numbers are INTEGER: 8- and 16-bit columns overflow in expressions.

create table program (
    program_id program_code not null,
    episodes integer not null check (episodes >= 0)
);

-- Which instruments a program uses: an episode without a score of one of them is "not measured", not "not applicable".
create table program_instrument (
    program_id program_code not null,
    instrument varchar not null
);

create table instrument (
    instrument varchar not null,
    direction integer not null check (direction in (-1, 1)),  -- +1: a lower total is better
    -- upper total of each band, in order, used to name the severity at baseline
    band varchar not null,
    band_order integer not null,
    band_low double not null,
    band_high double not null,
    every_days integer check (every_days >= 7)      -- a score is due so often while enrolled; NULL = at the start only
);

create table episode (
    episode_id integer not null,                    -- dense; persons and their episodes are contiguous
    person_id integer not null,
    program_id program_code not null,
    site site_code,
    population population_code,
    track track_code,
    level_of_care level_of_care_code,
    modality modality_code,
    therapy varchar,                                -- codes joined by |, sorted; NULL = not recorded
    planned_weeks integer check (planned_weeks between 1 and 52),
    planned_hours_per_week double,
    primary_condition primary_condition_code,
    age_band age_band_code,
    gender gender_code,
    referral_source referral_source_code,
    payer_group payer_group_code,
    admit_period varchar,                           -- 2026-03 | 2026-Q1 | 2026 by privacy mode; NULL = not known
    discharge_period varchar,                       -- limited and synthetic modes only
    start_day integer not null check (start_day >= 0),
    los_days integer check (los_days >= 0),         -- NULL = still in the program
    observed_days integer not null check (observed_days >= 0),
    discharge_reason discharge_reason_code,
    discharged_to discharged_to_code,
    wait_days integer,                              -- referral to admission
    consent_followup boolean,
    employed_at_admission boolean,
    stable_housing_at_admission boolean,
    arrested_past_30_at_admission boolean,
    check (discharge_reason is null or los_days is not null)
);

create table attendance (
    episode_id integer not null,
    day integer not null check (day >= 0),
    session_type session_type_code not null,
    session_no integer not null,                    -- 1 when the file does not tell sessions of a day apart
    status status_code not null,
    minutes integer check (minutes between 0 and 600),          -- NULL = not recorded
    delivery delivery_code,
    scheduled_minutes integer,
    cancel_notice_hours double
);

create table score (
    episode_id integer not null,
    instrument varchar not null,
    day integer not null check (day > -1000),
    total double not null check (total between 0 and 1023),
    item_9 integer check (item_9 between 0 and 3),
    is_prorated boolean not null,
    shared_with_person boolean,
    plan_changed boolean,
    -- total = as the file gave it; items = made from the answers below; both = the two agree
    given_as varchar not null default 'total' check (given_as in ('total', 'items', 'both'))
);

-- Answers as they were given, item by item; never the texts of the questions.
create table score_item (
    episode_id integer not null,
    instrument varchar not null,                    -- the form; a form with several domains gives several scores
    day integer not null check (day > -1000),
    item varchar not null,
    value double                                    -- NULL = not answered
);

create table substance_use (
    episode_id integer not null,
    day integer not null,
    source source_code not null,
    substance varchar not null,                     -- any = the file does not say which
    result result_code,                             -- NULL: a self report of days only
    scheduled boolean,
    days_used_past_30 integer check (days_used_past_30 between 0 and 30),
    controlled_environment boolean
);

create table followup (
    episode_id integer not null,
    due_day integer not null check (due_day in (30, 90, 180, 365)),
    attempted_day integer,                          -- days after discharge
    completed_day integer,
    reached boolean not null,
    outcome followup_outcome_code,
    days_abstinent_past_30 integer check (days_abstinent_past_30 between 0 and 30),
    any_use_since_discharge boolean,
    employed boolean,
    stable_housing boolean,
    arrested boolean,
    rehospitalised boolean,
    controlled_environment boolean,
    recovery_meetings integer
);

-- Hospital, residential and detox stays, on the person's time line.
create table acute_event (
    person_id integer not null,
    start_day integer not null,
    end_day integer,
    level_of_care level_of_care_code not null,
    planned boolean                                 -- NULL = not known
);

-- When readmissions of a person were observable. No rows at all: not collected, results are "known to us".
create table capture (
    person_id integer not null,
    source varchar not null,
    from_day integer not null,
    to_day integer not null
);

-- Requests for help. No row ties a calendar label to a day: people who were never admitted have the label and no days,
-- referrals that led to a stay have days before its admission and no label, others of people with a stay have neither.
create table referral (
    referral_id integer not null,                   -- dense, in the order of a keyed pseudonym
    person_id integer,                              -- never admitted: above those of `episode`; NULL = nobody named
    episode_id integer,                             -- the stay it led to
    episode_given boolean not null,                 -- the file names the stay; else it is the next one within 60 days
    source referral_source_code,
    decision referral_decision_code,
    referral_period varchar,                        -- of people who were never admitted
    days_to_admission integer check (days_to_admission >= 0),
    is_repeat boolean not null,                     -- at most 30 days after one of the same person that is no repeat
    observed_days integer check (observed_days in (0, 30, 60, 90)),  -- to the data cut, in whole 30s; NULL = not known
    check ((episode_id is null) = (days_to_admission is null)),
    check (episode_id is null or referral_period is null),
    check (episode_id is not null or not episode_given)
);

-- What people said, without a person. A row is either one answered questionnaire (total, recommend) or the counts of a
-- period (invited, answered). A period is as long as the file gave it, but no finer than the label of the mode.
create table satisfaction (
    program_id program_code not null,
    period varchar not null,                        -- 2026-03 | 2026-Q1 | 2026
    period_months integer not null check (period_months in (1, 3, 12)),  -- as the file gave it, before the label
    period_code integer not null,                   -- keyed code of the file's period: tells apart those of one label
    respondent respondent_code not null,
    instrument varchar,
    response_no integer,                            -- NULL = responses are not numbered
    total double,
    recommend integer check (recommend between 1 and 4),
    invited integer check (invited >= 0),
    answered integer check (answered between 0 and invited),
    check ((total is not null or recommend is not null) <> (invited is not null)),
    check (invited is not null or answered is null)
);

-- What a program cost, and how many places in sessions it offered, by period.
create table finance (
    program_id program_code not null,
    period varchar not null,
    period_months integer not null check (period_months in (1, 3, 12)),
    period_code integer not null,
    cost double check (cost >= 0),                  -- in the currency of the clinic
    capacity_slots integer check (capacity_slots >= 0),
    check (cost is not null or capacity_slots is not null)
);

-- Calendar counts of sessions, without episode keys; limited and synthetic modes only.
create table attendance_calendar (
    program_id program_code not null,
    site site_code,
    modality modality_code,
    level_of_care level_of_care_code,
    session_type session_type_code not null,
    status status_code not null,
    weekday integer not null check (weekday between 1 and 7),
    period varchar not null,
    sessions integer not null check (sessions > 0)
);

-- One row: what was not collected at all says so, instead of looking like zero. A state of a former schema version
-- has no column for a table that came later: that was not collected.
create table collected (
    attendance boolean not null default false,
    score boolean not null default false,
    score_item boolean not null default false,
    substance_use boolean not null default false,
    followup boolean not null default false,
    acute_event boolean not null default false,
    capture boolean not null default false,
    referral boolean not null default false,
    satisfaction boolean not null default false,
    finance boolean not null default false
);

create table import_batch (
    batch_id varchar not null,
    mode varchar not null check (mode in ('full', 'incremental')),
    file varchar not null,
    records_read bigint not null,
    accepted bigint not null,
    rejected bigint not null,
    check (accepted + rejected = records_read)
);

create table quarantine (
    batch_id varchar not null,
    file varchar not null,
    record bigint,                                  -- NULL = the whole file, or left out by request
    column_name varchar,
    rule varchar not null,
    masked varchar                                  -- first character and length, never the value
);
