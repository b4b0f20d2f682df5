-- The outcome tables whose rows need not belong to a person who was admitted: referral_outcome. Run once by
-- analytics/store/outcomes.py after outcomes.sql, whose idioms hold here too.


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
    r.days_to_admission + e.first_attended_day as days_to_first_session
from referral as r
left join episode_outcome as e on e.episode_id = r.episode_id
order by r.referral_id;
