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
    cast(minutes & 2097151 as integer) as recorded_minutes,
    cast(minutes >> 21 as integer) as unrecorded_sessions
from (
    select
        episode_id,
        day - day % 7 as week_start,
        bit_or(case when status = 'attended' then 1 << (day % 7) else 0 end) as days_mask,
        cast(sum(packed_session) as bigint) as sessions,
        cast(sum(packed_minutes) as bigint) as minutes
    from range_attendance
    group by episode_id, day - day % 7
);
