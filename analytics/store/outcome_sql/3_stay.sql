-- The stay: how and when it ended, which place it has in the person's history.

create or replace temp table episode_stay as
with placed as (
    select
        e.*,
        row_number() over (partition by e.person_id order by e.start_day, e.episode_id) as person_order,
        -- Of an open stay: what was seen of it.
        coalesce(e.los_days, e.observed_days) as stay_days,
        e.start_day + coalesce(e.los_days, e.observed_days) as line_end,
        -- Scores up to a week after discharge still tell of the stay; an open stay has no such week.
        case when e.los_days is null then 0 else 7 end as grace_days
    from range_episode as e
),
neighbours as (
    select
        *,
        max(line_end) over earlier as previous_end,
        max(line_end + grace_days) over earlier as previous_window_end,
        lead(start_day) over person as next_start,
        count(*) over (partition by person_id) as episodes_of_person
    from placed
    window
        person as (partition by person_id order by person_order),
        earlier as (partition by person_id order by person_order rows between unbounded preceding and 1 preceding)
),
numbered as (
    select
        *,
        -- A course goes on while less than 31 days lie between the end of everything before and the next admission.
        sum(case when start_day - previous_end <= 30 then 0 else 1 end)
            over (partition by person_id order by person_order) as course
    from neighbours
),
ended as (
    select
        n.*,
        row_number() over (partition by person_id, course order by person_order) as course_step,
        count(*) over (partition by person_id, course) as course_episodes,
        -- Another stay of this person whose window for scores meets this one's.
        coalesce(n.start_day - 14 <= n.previous_window_end, false)
            or coalesce(n.next_start - 14 <= n.line_end + n.grace_days, false) as is_crowded,
        a.first_attended_day,
        -- A person who left early was discharged on paper later: the stay ended with the last session.
        case
            when n.los_days is null then null
            when n.discharge_reason in ('lost_contact', 'administrative', 'left_against_advice')
                then coalesce(a.last_attended_day, n.los_days)
            else n.los_days
        end as exit_day,
        cast(
            case
                when n.los_days is null then 'active'
                when n.discharge_reason is null then null
                when n.discharge_reason = 'completed' then 'completed'
                when n.discharge_reason = 'transferred_lower' then 'stepped_down'
                when n.discharge_reason = 'transferred_higher' then 'transferred_higher'
                when n.discharge_reason in ('left_against_advice', 'lost_contact', 'administrative') then 'left_early'
                else 'other'
            end as exit_code
        ) as exit,
        -- Hours of a full week by level of care (ASAM 2.1 and 2.5), in minutes; other levels have no such number.
        case
            when n.level_of_care = 'PHP' then 1200
            when n.level_of_care = 'IOP' and n.population = 'adolescent' then 360
            when n.level_of_care = 'IOP' then 540
        end as dose_minutes
    from numbered as n
    left join episode_attendance as a on a.episode_id = n.episode_id
)
select
    episode_id,
    person_id,
    program_id,
    start_day,
    los_days,
    observed_days,
    line_end,
    stay_days,
    grace_days,
    -- The days on which a score filed here belongs here without a question.
    case when is_crowded then 0 else -14 end as settled_from,
    case when is_crowded then stay_days else stay_days + grace_days end as settled_to,
    exit_day,
    exit,
    start_day + exit_day as line_exit,
    dose_minutes,
    first_attended_day,
    -- Seven-day blocks from admission that lie wholly inside the stay: day 6 completes the first.
    coalesce(exit_day, observed_days) + 1 - (coalesce(exit_day, observed_days) + 1) % 7 as full_days,
    cast(person_order as integer) as person_sequence,
    cast(episodes_of_person as integer) as episodes_of_person,
    cast(course as integer) as course,
    cast(course_step as integer) as course_step,
    course_step = course_episodes as is_course_last,
    case when next_start >= start_day + los_days then next_start - (start_day + los_days) end as days_to_next_episode
from ended;

-- Back in a program in which the course was, once the course had ended: after two levels of care in two programs,
-- either of them is the same program. An admission to another one is no return, and hides none that follows it.
create or replace temp table episode_return as
with several as (
    select episode_id, person_id, program_id, course, is_course_last, los_days, start_day, line_end
    from episode_stay
    where episodes_of_person > 1
)
select ended.episode_id, min(back.start_day - ended.line_end) as days_to_return
from several as ended
inner join several as stayed on stayed.person_id = ended.person_id and stayed.course = ended.course
inner join several as back
    on back.person_id = stayed.person_id and back.program_id = stayed.program_id and back.course > stayed.course
where ended.is_course_last and ended.los_days is not null
group by ended.episode_id;

-- Which request the wait for a stay began with: of several the earliest up to 60 days before it. A longer wait counts
-- only where nothing later is known; the file of episodes may know a later one.
create or replace temp table episode_request as
select
    episode_id,
    max(days_to_admission) filter (where days_to_admission <= 60) as wait_days,
    min(days_to_admission) as latest_wait_days
from range_referral
group by episode_id;

-- A week that has its hours without the sessions that lack minutes is at dose; one that has not may be: not known.
create or replace temp view week_at_dose as
select
    w.*,
    s.full_days,
    s.first_attended_day,
    case
        when w.packed_minutes < 2097152 then w.packed_minutes >= s.dose_minutes
        when (w.packed_minutes & 2097151) >= s.dose_minutes then true
    end as at_dose
from week_part as w
inner join episode_stay as s on s.episode_id = w.episode_id;

-- What the weeks say once the end of the stay is known.
create or replace temp table episode_weeks as
select
    episode_id,
    attended_days,
    lacks_minutes,
    case when full_weeks_at_dose < 2097152 then cast(full_weeks_at_dose as integer) end as weeks_at_dose,
    case when packed_full_weeks < 2097152 then cast(packed_full_weeks as integer) end as full_week_minutes,
    early_attended_days
from (
    select
        w.episode_id,
        cast(sum(bit_count(w.days_mask)) as integer) as attended_days,
        max(w.packed_minutes) >= 2097152 as lacks_minutes,
        -- One full week that is not known, and the number of those at dose is not: it stands in the second place.
        sum(
            case when w.week_start >= w.full_days or not w.at_dose then 0 when w.at_dose then 1 else 2097152 end
        ) as full_weeks_at_dose,
        -- Minutes of the full weeks, and in the second place how many of their sessions lack them.
        sum(case when w.week_start < w.full_days then w.packed_minutes else 0 end) as packed_full_weeks,
        -- Attended days 1 to 34 after the first one: the bits of each week that lie in that span.
        cast(
            sum(
                bit_count(
                    w.days_mask
                    & ((1 << greatest(0, least(7, w.first_attended_day + 35 - w.week_start))) - 1)
                    & (128 - (1 << greatest(0, least(7, w.first_attended_day + 1 - w.week_start))))
                )
            ) as integer
        ) as early_attended_days
    from week_at_dose as w
    group by w.episode_id
);

create or replace temp view range_attendance_week as
select
    w.episode_id,
    cast(floor(w.week_start / 7) as integer) as week,
    cast(bit_count(w.days_mask) as integer) as attended_days,
    w.attended_sessions,
    case when w.packed_minutes < 2097152 then cast(w.packed_minutes as integer) end as attended_minutes,
    w.no_show_sessions - coalesce(h.no_show_sessions, 0) as no_show_sessions,
    w.attended_sessions + w.no_show_sessions + w.cancelled_client_sessions
        - coalesce(h.no_show_sessions + h.cancelled_client_sessions, 0) as scheduled_sessions,
    w.week_start < w.full_days as is_full,
    w.at_dose
from week_at_dose as w
left join week_in_hospital as h on h.episode_id = w.episode_id and h.week_start = w.week_start;

create table if not exists attendance_week as select * from range_attendance_week with no data;

insert into attendance_week select * from range_attendance_week order by episode_id, week;

drop view range_attendance_week;

drop view week_at_dose;

drop table week_part;
