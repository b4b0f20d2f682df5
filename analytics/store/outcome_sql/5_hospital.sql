-- Hospital, residential and detox stays around the exit.

-- Every stay of a person is placed against every episode of that person: the same stay can be a step-up of the second
-- episode and a readmission after the first. planned NULL (not known) counts as unplanned. An episode that is still open
-- has no exit to count from, only days on which a step-up was seen: the rate per enrolled day counts its days too.
create or replace temp table episode_acute as
with placed as (
    select
        e.episode_id,
        a.start_day - e.line_exit as after_exit,
        a.end_day - e.line_exit as end_after_exit,
        a.start_day - e.start_day as on_day,
        coalesce(e.exit_day, e.observed_days) as enrolled_days,
        coalesce(a.planned, false) as planned,
        -- NULL exit = reason not known: then only day 0 is a direct transfer.
        a.start_day = e.line_exit
            or (a.start_day = e.line_exit + 1 and coalesce(e.exit = 'transferred_higher', false)) as is_transfer
    from range_acute_event as a
    inner join episode_stay as e on e.person_id = a.person_id
    where a.level_of_care in ('inpatient', 'residential', 'detox')
),
transfer as (
    select
        episode_id,
        -- Two stays at once: the later end; one of them without an end: not known, or still there.
        case when count(*) = count(end_after_exit) then max(end_after_exit) end as transfer_end
    from placed
    where is_transfer
    group by episode_id
)
select
    p.episode_id,
    bool_or(p.is_transfer) as direct_transfer,
    min(t.transfer_end) as direct_transfer_end_day,
    -- At risk from the end of a direct transfer on: a change of wards within that stay is no readmission.
    min(p.after_exit) filter (
        where p.after_exit >= 1 and not p.is_transfer and not p.planned
            and (t.transfer_end is null or p.after_exit >= t.transfer_end)
    ) as readmission_day,
    min(p.after_exit) filter (
        where p.after_exit >= 1 and not p.is_transfer and p.planned
            and (t.transfer_end is null or p.after_exit >= t.transfer_end)
    ) as planned_admission_day,
    min(p.on_day) filter (where p.is_transfer or p.on_day between 1 and p.enrolled_days) as step_up_day
from placed as p
left join transfer as t on t.episode_id = p.episode_id
group by p.episode_id;

-- The hospital stay after which a person came here: it ended on the day of admission or up to 30 days before, and no
-- other admission of the person lies between; of several the one that ended last.
create or replace temp table episode_inpatient as
with next_admission as (
    select a.person_id, a.end_day, min(e.person_sequence) as person_sequence
    from (select distinct person_id, end_day from range_acute_event where level_of_care = 'inpatient') as a
    inner join episode_stay as e on e.person_id = a.person_id
    where e.start_day between a.end_day and a.end_day + 30
    group by a.person_id, a.end_day
)
select e.episode_id, min(e.start_day - n.end_day) as days_since_inpatient
from next_admission as n
inner join episode_stay as e on e.person_id = n.person_id and e.person_sequence = n.person_sequence
group by e.episode_id;

-- Windows of several sources, and windows that touch, are one span in which readmissions would have been seen.
create or replace temp table episode_capture as
with ordered as (
    select
        person_id,
        from_day,
        to_day,
        max(to_day) over (
            partition by person_id order by from_day, to_day rows between unbounded preceding and 1 preceding
        ) as seen_until
    -- Two sources may name the same days; the order within a person must leave no tie.
    from (select distinct person_id, from_day, to_day from range_capture where to_day >= from_day)
),
spans as (
    select
        *,
        sum(case when from_day <= seen_until + 1 then 0 else 1 end) over (
            partition by person_id order by from_day, to_day rows between unbounded preceding and current row
        ) as span
    from ordered
),
merged as (
    select person_id, span, min(from_day) as from_day, max(to_day) as to_day
    from spans
    group by person_id, span
)
select e.episode_id, m.to_day - e.line_exit as captured_days
from merged as m
inner join episode_stay as e on e.person_id = m.person_id
where e.line_exit between m.from_day and m.to_day;
