-- Attendance by episode and by week.

create or replace temp table episode_attendance as
select
    episode_id,
    cast(sessions & 2097151 as integer) as attended_sessions,
    cast((sessions >> 21) & 2097151 as integer) as no_show_sessions,
    cast(sessions >> 42 as integer) as cancelled_client_sessions,
    cast(cancellations >> 42 as integer) as cancelled_late_sessions,
    cast((cancellations >> 21) & 2097151 as integer) as notice_recorded_sessions,
    cast(cancellations & 2097151 as integer) as cancelled_program_sessions,
    cast(minutes & 2097151 as integer) as group_minutes,
    cast((minutes >> 21) & 2097151 as integer) as individual_minutes,
    cast(minutes >> 42 as integer) as family_minutes,
    cast(more_minutes & 2097151 as integer) as medication_minutes,
    cast(more_minutes >> 21 as integer) as other_minutes,
    group_minutes + individual_minutes + family_minutes + medication_minutes + other_minutes as recorded_minutes,
    first_attended_day,
    attended_after_day_0,
    last_attended_day
from (
    select
        episode_id,
        cast(sum(packed_session) as bigint) as sessions,
        cast(
            sum(
                case
                    when status in ('attended', 'no_show') then 0
                    when status = 'cancelled_program' then 1
                    when cancel_notice_hours is null then 0
                    when cancel_notice_hours < 24 then 4398046511104 + 2097152
                    else 2097152
                end
            ) as bigint
        ) as cancellations,
        cast(
            sum(
                case session_type
                    when 'group' then attended_minutes
                    when 'individual' then attended_minutes * cast(2097152 as bigint)
                    when 'family' then attended_minutes * 4398046511104
                    else 0
                end
            ) as bigint
        ) as minutes,
        cast(
            sum(
                case session_type
                    when 'medication' then attended_minutes
                    when 'other' then attended_minutes * cast(2097152 as bigint)
                    else 0
                end
            ) as bigint
        ) as more_minutes,
        min(day) filter (where status = 'attended') as first_attended_day,
        min(day) filter (where status = 'attended' and day > 0) as attended_after_day_0,
        max(day) filter (where status = 'attended') as last_attended_day
    from range_attendance
    group by episode_id
);

-- Weeks count from admission. The attended days of a week are a mask of 7 bits: distinct days without a DISTINCT.
create or replace temp table week_part as
select
    episode_id,
    week_start,
    days_mask,
    cast(sessions & 2097151 as integer) as attended_sessions,
    cast((sessions >> 21) & 2097151 as integer) as no_show_sessions,
    cast(sessions >> 42 as integer) as cancelled_client_sessions,
    packed_minutes
from (
    select
        episode_id,
        day - day % 7 as week_start,
        bit_or(case when status = 'attended' then 1 << (day % 7) else 0 end) as days_mask,
        cast(sum(packed_session) as bigint) as sessions,
        cast(sum(packed_minutes) as bigint) as packed_minutes
    from range_attendance
    group by episode_id, day - day % 7
);

-- Days in hospital, residential care or detox during a stay here, from admission there to discharge. Without a
-- recorded end: to the end of the stay here when the person never came again, else only the day of admission.
create or replace temp table days_in_hospital as
select
    e.episode_id,
    a.start_day - e.start_day as from_day,
    case
        when a.end_day is not null then a.end_day - e.start_day
        when a.start_day < e.start_day or s.last_attended_day > a.start_day - e.start_day then a.start_day - e.start_day
        else coalesce(e.los_days, e.observed_days)
    end as to_day
from range_acute_event as a
inner join range_episode as e on e.person_id = a.person_id
cross join collected as c
left join episode_attendance as s on s.episode_id = e.episode_id
where
    c.acute_event
    and a.level_of_care in ('inpatient', 'residential', 'detox')
    and a.start_day <= e.start_day + coalesce(e.los_days, e.observed_days)
    and coalesce(a.end_day, a.start_day) >= e.start_day;

-- Sessions missed or cancelled on those days say nothing about coming. Whoever came was there: that session counts.
create or replace temp table week_in_hospital as
select
    a.episode_id,
    a.day - a.day % 7 as week_start,
    cast(count(*) filter (where a.status = 'no_show') as integer) as no_show_sessions,
    cast(count(*) filter (where a.status = 'cancelled_client') as integer) as cancelled_client_sessions,
    cast(count(*) filter (where a.cancel_notice_hours < 24) as integer) as cancelled_late_sessions,
    cast(count(a.cancel_notice_hours) as integer) as notice_recorded_sessions
from range_attendance as a
-- At most once, also where two of those stays overlap.
semi join days_in_hospital as h on h.episode_id = a.episode_id and a.day between h.from_day and h.to_day
where a.status in ('no_show', 'cancelled_client')
group by a.episode_id, a.day - a.day % 7;

create or replace temp table episode_in_hospital as
select
    episode_id,
    cast(sum(no_show_sessions) as integer) as no_show_sessions,
    cast(sum(cancelled_client_sessions) as integer) as cancelled_client_sessions,
    cast(sum(cancelled_late_sessions) as integer) as cancelled_late_sessions,
    cast(sum(notice_recorded_sessions) as integer) as notice_recorded_sessions
from week_in_hospital
group by episode_id;
