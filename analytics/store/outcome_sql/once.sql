-- The outcome tables whose rows need not belong to a person who was admitted: referral_outcome, satisfaction_outcome.
-- Run once by analytics/store/outcomes.py after the numbered files, whose idioms (1_range.sql) hold here too.


-- ---------------------------------------------------------------------------------------------------------------
-- One row per request for help, repeats included
-- ---------------------------------------------------------------------------------------------------------------

create or replace table referral_outcome as
select
    r.referral_id,
    r.person_id,
    r.episode_id,
    r.source,
    r.decision,
    r.is_repeat,
    r.observed_days,
    -- Whoever was admitted has no label of the request itself: a label and the days to an admission would date it.
    coalesce(r.referral_period, e.admit_period) as period,
    -- NULL: it led to no stay, or nobody came; without attendance not known.
    r.days_to_admission + e.first_attended_day as days_to_first_session,
    -- It led to a stay in a program that recorded no attendance: nobody knows whether they began.
    e.episode_id is null or e.attended_sessions is not null as knows_first_session
from referral as r
left join episode_outcome as e on e.episode_id = r.episode_id
order by r.referral_id;


-- ---------------------------------------------------------------------------------------------------------------
-- Invitations to say how satisfied one is: one row per answer, and one for all alike without one
-- ---------------------------------------------------------------------------------------------------------------

create or replace table satisfaction_outcome as
with noted as (
    select
        *,
        max(invited) over cell as asked,
        count(*) filter (where invited is null) over cell as answers_given,
        -- The counts may know of more answers than the file holds.
        greatest(coalesce(max(answered) over cell, 0), count(*) filter (where invited is null) over cell) as answers,
        coalesce(max(answered) over cell, nullif(count(*) filter (where invited is null) over cell, 0)) is not null
            as knows_answers
    from satisfaction
    window cell as (partition by program_id, period_code, respondent, instrument)
),
invitation as (
    select *, true as is_answered, 1 as invitations
    from noted
    where invited is null
    union all
    select *, true as is_answered, answers - answers_given as invitations
    from noted
    where invited is not null
    union all
    select
        *,
        case when knows_answers then false end as is_answered,
        greatest(asked - answers, 0) as invitations
    from noted
    where invited is not null
)
select
    program_id,
    period,
    period_code,
    respondent,
    instrument,
    total,
    recommend,
    is_answered,
    -- More answers than invitations: somebody answered who was not counted, so the count says nothing.
    coalesce(asked >= answers, false) as is_counted,
    cast(invitations as integer) as invitations
from invitation
where invitations > 0
order by all;

drop table program_without_attendance;
