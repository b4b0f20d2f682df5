-- Substance use and follow-up.

create or replace temp table episode_use as
select
    s.episode_id,
    -- Nearest to admission, earlier on equal distance, most days of use on that day; the key ends in 30 - days.
    30 - min(
        (abs(s.day) * 2 + case when s.day > 0 then 1 else 0 end) * 32 + 30 - s.days_used_past_30
    ) filter (where s.day between -14 and 7) % 32 as days_used_admission,
    -- A report in the window of admission speaks of the time before treatment: of a short stay it must not be
    -- read a second time, as the answer at discharge.
    max((s.day + 14) * 32 + s.days_used_past_30) filter (
        where s.day between e.los_days - 14 and e.los_days + 7 and s.day > 7
    ) % 32 as days_used_discharge,
    bool_or(s.controlled_environment) filter (where s.day between -14 and 7) as controlled_admission
from range_substance_use as s
inner join episode_stay as e on e.episode_id = s.episode_id
group by s.episode_id;

-- One test = episode, day, source, whatever the number of substances. Any positive makes it positive; else any
-- negative makes it negative (prescribed_positive counts as neither, so a test that is clear of everything else is
-- negative); else a missed or refused part makes it missed; what is left is invalid or prescribed only: excluded.
create or replace temp table test as
    select
        s.episode_id,
        s.day,
        bool_or(s.result = 'positive') as is_positive,
        bool_or(s.result = 'negative') as is_negative,
        bool_or(s.result in ('missed', 'refused')) as is_missed,
        -- Booked when any part says so, at random when a part says not and none says so; NULL when none says anything.
        bool_or(s.scheduled) as is_scheduled
    from range_substance_use as s
    inner join episode_stay as e on e.episode_id = s.episode_id
    where s.source in ('urine', 'breath', 'oral') and s.result is not null
        and s.day between 0 and coalesce(e.los_days, e.observed_days)
    group by s.episode_id, s.day, s.source;

create or replace temp table episode_tests as
select
    episode_id,
    cast(count(*) filter (where is_positive) as integer) as tests_positive,
    cast(count(*) filter (where not is_positive and is_negative) as integer) as tests_negative,
    cast(count(*) filter (where not is_positive and not is_negative and is_missed) as integer) as tests_missed,
    cast(count(*) filter (where not is_positive and not is_negative and not is_missed) as integer) as tests_excluded,
    cast(count(*) filter (where not is_positive and is_negative and is_scheduled) as integer)
        as tests_scheduled_negative,
    cast(count(*) filter (where is_positive and is_scheduled) as integer) as tests_scheduled_positive,
    cast(count(*) filter (where not is_positive and is_negative and not is_scheduled) as integer)
        as tests_random_negative,
    cast(count(*) filter (where is_positive and not is_scheduled) as integer) as tests_random_positive
from test
group by episode_id;

-- One sign per week of the stay: + a positive test, - negative ones only, * both, o missed or refused only, _ none that
-- says anything. The last, broken week is a week; a test on the day that ends it belongs to it.
create or replace temp table episode_use_pattern as
with placed as (
    select
        t.*,
        cast(floor((greatest(coalesce(e.exit_day, e.observed_days), 1) + 6) / 7) as integer) as weeks
    from test as t
    inner join episode_stay as e on e.episode_id = t.episode_id
    where t.day <= coalesce(e.exit_day, e.observed_days)
),
weekly as (
    select
        episode_id,
        weeks,
        least(cast(floor(day / 7) as integer), weeks - 1) as week,
        bool_or(is_positive) as is_positive,
        bool_or(is_negative and not is_positive) as is_negative,
        bool_or(is_missed) as is_missed
    from placed
    group by episode_id, weeks, least(cast(floor(day / 7) as integer), weeks - 1)
),
signed as (
    select
        episode_id,
        weeks,
        week,
        repeat('_', cast(week - 1 - coalesce(lag(week) over (partition by episode_id order by week), -1) as integer))
        || case
            when is_positive and is_negative then '*'
            when is_positive then '+'
            when is_negative then '-'
            when is_missed then 'o'
            else '_'
        end as signs
    from weekly
)
select episode_id, rpad(string_agg(signs, '' order by week), max(weeks), '_') as use_pattern
from signed
group by episode_id;

drop table test;

-- Days after discharge on which the interview counts as the one that was due.
create or replace temp table followup_window as
select *
from (values (30, 21, 45), (90, 75, 120), (180, 150, 240), (365, 335, 425)) as w (due_day, from_day, to_day);

-- What was said counts when the interview was held in time. A stay has one row per call: that is its key.
create or replace temp table interview as
with placed as (
    select
        f.*,
        e.los_days,
        coalesce(f.completed_day, f.attempted_day) as seen_day,
        -- A day that was not recorded is taken on trust.
        f.reached and coalesce(coalesce(f.completed_day, f.attempted_day) between w.from_day and w.to_day, true)
            as is_reached
    from range_followup as f
    inner join episode_stay as e on e.episode_id = f.episode_id
    inner join followup_window as w on w.due_day = f.due_day
    where e.los_days is not null
)
select
    episode_id,
    due_day,
    is_reached,
    outcome,
    case when is_reached then days_abstinent_past_30 end as days_abstinent,
    case when is_reached then any_use_since_discharge end as any_use,
    case when is_reached then employed end as employed,
    case when is_reached then stable_housing end as stable_housing,
    case when is_reached then arrested end as arrested,
    case when is_reached then recovery_meetings > 0 end as attends_meetings,
    -- Also known of somebody who could not be reached there; but not by an interview about another month.
    case when is_reached or not reached then controlled_environment end as is_controlled,
    -- Without a day of its own the interview stands on the day it was due.
    case when is_reached then coalesce(seen_day, due_day) end as on_day,
    -- The window of GPRA counts from admission, and takes the interview of any call.
    case when los_days + coalesce(seen_day, due_day) between 150 and 245 then reached end as gpra_reached
from placed;

-- What was seen of use after leaving, in days after discharge. An answer about the last 30 days is about the time since
-- discharge only: for use, when its days do not all fit before discharge; for no use, when nothing is left out.
create or replace temp table episode_relapse as
with seen as (
    select s.episode_id, s.day - e.los_days as on_day, s.result = 'positive' as is_use
    from range_substance_use as s
    inner join episode_stay as e on e.episode_id = s.episode_id
    where s.day > e.los_days and s.source in ('urine', 'breath', 'oral') and s.result in ('positive', 'negative')
    union all
    select
        episode_id,
        on_day,
        case
            when any_use or days_abstinent < least(on_day, 30) then true
            when any_use = false or (on_day <= 30 and days_abstinent = 30) then false
        end as is_use
    from interview
    where is_reached
)
select
    episode_id,
    min(on_day) filter (where is_use) as first_use_day,
    max(on_day) filter (where not is_use) as last_clean_day
from seen
where is_use is not null
group by episode_id;

create or replace temp table episode_followup as
with positive_before as (
    select distinct i.episode_id, i.due_day
    from interview as i
    inner join episode_stay as e on e.episode_id = i.episode_id
    inner join range_substance_use as s on s.episode_id = i.episode_id
    where i.is_reached and s.result = 'positive' and s.source in ('urine', 'breath', 'oral')
        and s.day between e.los_days + i.on_day - 30 and e.los_days + i.on_day
),
judged as (
    select
        i.episode_id,
        i.due_day,
        i.is_reached,
        i.outcome,
        -- What a test saw beats what was said.
        case
            when p.episode_id is not null then false
            when i.days_abstinent is not null then i.days_abstinent = 30
            -- Nobody asked for the days, but what was said of the time since leaving answers it: no use holds for these
            -- 30 days when they lie after leaving, and use was in them when they reach back to it.
            when i.any_use = false and i.on_day >= 30 then true
            when i.any_use and i.on_day <= 30 then false
        end as is_abstinent,
        i.any_use,
        i.employed,
        i.stable_housing,
        i.arrested,
        i.attends_meetings,
        i.is_controlled,
        i.gpra_reached
    from interview as i
    left join positive_before as p on p.episode_id = i.episode_id and p.due_day = i.due_day
)
select
    episode_id,
    bool_or(is_reached) filter (where due_day = 30) as reached_30,
    bool_or(is_abstinent) filter (where due_day = 30) as abstinent_30,
    min(outcome) filter (where due_day = 30) as outcome_30,
    bool_or(is_controlled) filter (where due_day = 30) as controlled_30,
    bool_or(is_reached) filter (where due_day = 90) as reached_90,
    bool_or(is_abstinent) filter (where due_day = 90) as abstinent_90,
    min(outcome) filter (where due_day = 90) as outcome_90,
    bool_or(is_controlled) filter (where due_day = 90) as controlled_90,
    bool_or(is_reached) filter (where due_day = 180) as reached_180,
    bool_or(is_abstinent) filter (where due_day = 180) as abstinent_180,
    min(outcome) filter (where due_day = 180) as outcome_180,
    bool_or(is_controlled) filter (where due_day = 180) as controlled_180,
    bool_or(any_use) filter (where due_day = 180) as any_use_180,
    bool_or(employed) filter (where due_day = 180) as employed_180,
    bool_or(stable_housing) filter (where due_day = 180) as housed_180,
    bool_or(arrested) filter (where due_day = 180) as arrested_180,
    bool_or(attends_meetings) filter (where due_day = 180) as meetings_180,
    bool_or(is_reached) filter (where due_day = 365) as reached_365,
    bool_or(is_abstinent) filter (where due_day = 365) as abstinent_365,
    min(outcome) filter (where due_day = 365) as outcome_365,
    bool_or(is_controlled) filter (where due_day = 365) as controlled_365,
    bool_or(gpra_reached) as gpra_reached
from judged
group by episode_id;

drop table interview;

drop table followup_window;
