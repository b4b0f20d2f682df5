-- The outcome tables: episode_outcome, score_outcome, attendance_week. All windows, joins, "nearest", "first" and
-- "last" of the product live here and nowhere else; a measure is a row expression over the result.
--
-- Run by analytics/store/outcomes.py once per range of persons (variables first_episode .. last_person), because
-- every rule below stays inside one person: time grows in proportion and memory stays flat.
--
-- Idioms, each for a reason (the same text has to give the same answer on every engine):
-- * A row is picked by packing the whole order into one integer key and taking its min or max, then reading the
--   key again: ties are decided by a rule, not by luck. `floor` stands before every cast of a division.
-- * Totals count in tenths (some instruments have steps of 0.1), times `direction`: +1 low is better, -1 high.
--   A larger signed total is always the worse state.
-- * NULL = not known, and stays NULL. Everything that counts is an INTEGER.
-- * "On the line" = on the person's own time line; other days count from the episode's admission.


-- ---------------------------------------------------------------------------------------------------------------
-- 1. The range
-- ---------------------------------------------------------------------------------------------------------------

create or replace temp view range_episode as
select * from episode where episode_id between getvariable('first_episode') and getvariable('last_episode');

-- Attendance is the largest scan of all, so counts share sums, three to a number and 21 bits each: 2097152 is one in
-- the second place, 4398046511104 in the third. outcomes.py asserts that none overflowed.
-- Minutes that were not recorded count 0; the session still counts.
create or replace temp view range_attendance as
select
    *,
    case when status = 'attended' then coalesce(minutes, 0) else 0 end as attended_minutes,
    case status
        when 'attended' then 1
        when 'no_show' then 2097152
        when 'cancelled_client' then 4398046511104
        else 0
    end as packed_session
from attendance
where episode_id between getvariable('first_episode') and getvariable('last_episode');

create or replace temp view range_score as
select * from score where episode_id between getvariable('first_episode') and getvariable('last_episode');

create or replace temp view range_substance_use as
select * from substance_use where episode_id between getvariable('first_episode') and getvariable('last_episode');

create or replace temp view range_followup as
select * from followup where episode_id between getvariable('first_episode') and getvariable('last_episode');

create or replace temp view range_acute_event as
select * from acute_event where person_id between getvariable('first_person') and getvariable('last_person');

create or replace temp view range_capture as
select * from capture where person_id between getvariable('first_person') and getvariable('last_person');

-- Every instrument has a number: millions of rows are grouped and joined by it, which its name would slow down.
create or replace temp table numbered_instrument as
select
    instrument,
    direction,
    every_days,
    cast(row_number() over (order by instrument) as integer) as instrument_no
from (select distinct instrument, direction, every_days from instrument);


-- ---------------------------------------------------------------------------------------------------------------
-- 2. Attendance: by episode and by week
-- ---------------------------------------------------------------------------------------------------------------

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
    group_minutes + individual_minutes + family_minutes + medication_minutes + other_minutes as attended_minutes,
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
    attended_minutes
from (
    select
        episode_id,
        day - day % 7 as week_start,
        bit_or(case when status = 'attended' then 1 << (day % 7) else 0 end) as days_mask,
        cast(sum(packed_session) as bigint) as sessions,
        cast(sum(attended_minutes) as integer) as attended_minutes
    from range_attendance
    group by episode_id, day - day % 7
);


-- ---------------------------------------------------------------------------------------------------------------
-- 3. The stay: how and when it ended, which place it has in the person's history
-- ---------------------------------------------------------------------------------------------------------------

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

-- What the weeks say once the end of the stay is known.
create or replace temp table episode_weeks as
select
    w.episode_id,
    cast(sum(bit_count(w.days_mask)) as integer) as attended_days,
    cast(count(case when w.week_start < s.full_days and w.attended_minutes >= s.dose_minutes then 1 end) as integer)
        as weeks_at_dose,
    -- Attended days 1 to 34 after the first one: the bits of each week that lie in that span.
    cast(
        sum(
            bit_count(
                w.days_mask
                & ((1 << greatest(0, least(7, s.first_attended_day + 35 - w.week_start))) - 1)
                & (128 - (1 << greatest(0, least(7, s.first_attended_day + 1 - w.week_start))))
            )
        ) as integer
    ) as early_attended_days
from week_part as w
inner join episode_stay as s on s.episode_id = w.episode_id
group by w.episode_id;

create or replace temp view range_attendance_week as
select
    w.episode_id,
    cast(floor(w.week_start / 7) as integer) as week,
    cast(bit_count(w.days_mask) as integer) as attended_days,
    w.attended_sessions,
    w.attended_minutes,
    w.no_show_sessions,
    w.attended_sessions + w.no_show_sessions + w.cancelled_client_sessions as scheduled_sessions,
    w.week_start < s.full_days as is_full,
    w.attended_minutes >= s.dose_minutes as at_dose
from week_part as w
inner join episode_stay as s on s.episode_id = w.episode_id;

create table if not exists attendance_week as select * from range_attendance_week with no data;

insert into attendance_week select * from range_attendance_week order by episode_id, week;

drop view range_attendance_week;

drop table week_part;


-- ---------------------------------------------------------------------------------------------------------------
-- 4. Scores: whose they are, then first, last and weekly ones
-- ---------------------------------------------------------------------------------------------------------------

-- A score outside the stay it was filed under may lie in the stay, or nearer to the stay, of another episode of the
-- person whose program uses the instrument (a program that never asks cannot claim it). The nearest stay whose window
-- [-14, +7] holds the day owns it; on equal distance the stay that has just ended, then the one it was filed under,
-- then the later one. Strays are few.
create or replace temp table stray_score as
with stray as (
    select
        s.episode_id,
        s.instrument,
        s.day,
        s.total,
        s.item_9,
        s.is_prorated,
        f.person_id,
        f.start_day + s.day as line_day
    from range_score as s
    inner join episode_stay as f on f.episode_id = s.episode_id
    where f.episodes_of_person > 1 and s.day not between f.settled_from and f.settled_to
),
claim as (
    select
        t.*,
        (
            greatest(c.start_day - t.line_day, t.line_day - c.line_end, 0) * 4
            + case when t.line_day > c.line_end then 0 else 2 end
            + case when c.episode_id = t.episode_id then 0 else 1 end
        ) * 100000 + 99999 - c.person_sequence as preference
    from stray as t
    inner join episode_stay as c on c.person_id = t.person_id
    inner join program_instrument as u on u.program_id = c.program_id and u.instrument = t.instrument
    where t.line_day between c.start_day - 14 and c.line_end + c.grace_days
),
best as (
    select person_id, line_day, instrument, total, item_9, is_prorated, min(preference) as preference
    from claim
    group by episode_id, person_id, line_day, instrument, total, item_9, is_prorated
),
placed as (
    select
        o.episode_id,
        b.instrument,
        b.line_day - o.start_day as day,
        b.total,
        b.item_9,
        b.is_prorated,
        b.line_day - o.start_day between o.settled_from and o.settled_to as is_settled
    from best as b
    inner join episode_stay as o on o.person_id = b.person_id and o.person_sequence = 99999 - b.preference % 100000
)
-- One measurement that stands under two episodes is one measurement: EXCEPT also leaves each row once.
select episode_id, instrument, day, total, item_9, is_prorated
from placed
except
select s.episode_id, s.instrument, s.day, s.total, s.item_9, s.is_prorated
from placed as t
inner join range_score as s on s.episode_id = t.episode_id and s.day = t.day and s.instrument = t.instrument
where t.is_settled;

create or replace temp view owned_score as
select s.episode_id, s.instrument, s.day, s.total, s.item_9, s.is_prorated
from range_score as s
inner join episode_stay as e on e.episode_id = s.episode_id
where s.day between e.settled_from and e.settled_to
union all
select episode_id, instrument, day, total, item_9, is_prorated
from stray_score;

-- Keys, most significant first. Baseline: distance from admission, earlier day, complete before prorated, the smaller
-- signed total (it makes the improvement smaller), item 9. Later scores: day, complete, the larger signed total, item 9.
create or replace temp table score_pair as
with signed as (
    select
        s.episode_id,
        i.instrument_no,
        i.direction,
        s.day,
        -- Scores before admission belong to week 0.
        greatest(s.day, 0) - greatest(s.day, 0) % 7 as week_start,
        case when s.is_prorated then 1 else 0 end as prorated,
        cast(round(s.total * 10) as integer) * i.direction + 16384 as signed_total,
        s.item_9,
        -- Due days are 0, every_days, twice that …: a score within three days of one is that one's.
        case
            when s.day >= -3 and (s.day + 3) % i.every_days <= 6 and floor((s.day + 3) / i.every_days) <= 60
                then cast(1 as bigint) << cast(floor((s.day + 3) / i.every_days) as integer)
            else 0
        end as due_bit
    from owned_score as s
    inner join numbered_instrument as i on i.instrument = s.instrument
),
keyed as (
    select
        episode_id,
        instrument_no,
        direction,
        week_start,
        due_bit,
        case
            when day <= 7
                then ((abs(day) * 2 + case when day > 0 then 1 else 0 end) * 2 + prorated) * 262144
                    + signed_total * 8 + coalesce(item_9, 7)
        end as baseline_key,
        cast((day + 14) * 2 + 1 - prorated as bigint) * 262144
            + signed_total * 8 + coalesce(item_9 + 1, 0) as latest_key,
        -- Profile nhs takes complete scores only.
        case when prorated = 0 then cast(day + 14 as bigint) * 32768 + signed_total end as nhs_key,
        ((day + 14 - week_start) * 2 + 1 - prorated) * 32768 + signed_total as week_key
    from signed
),
picked as (
    select
        episode_id,
        instrument_no,
        direction,
        count(*) as scores,
        min(baseline_key) as baseline_key,
        max(latest_key) as latest_key,
        min(nhs_key) as nhs_first_key,
        max(nhs_key) as nhs_last_key,
        bit_or(due_bit) as due_mask,
        max(week_key) filter (where week_start = 0) as week_0,
        max(week_key) filter (where week_start = 7) as week_1,
        max(week_key) filter (where week_start = 14) as week_2,
        max(week_key) filter (where week_start = 21) as week_3,
        max(week_key) filter (where week_start = 28) as week_4,
        max(week_key) filter (where week_start = 35) as week_5,
        max(week_key) filter (where week_start = 42) as week_6,
        max(week_key) filter (where week_start = 49) as week_7,
        max(week_key) filter (where week_start = 56) as week_8,
        max(week_key) filter (where week_start = 63) as week_9,
        max(week_key) filter (where week_start = 70) as week_10,
        max(week_key) filter (where week_start = 77) as week_11,
        max(week_key) filter (where week_start = 84) as week_12,
        max(week_key) filter (where week_start = 91) as week_13,
        max(week_key) filter (where week_start = 98) as week_14,
        max(week_key) filter (where week_start = 105) as week_15,
        max(week_key) filter (where week_start = 112) as week_16
    from keyed
    group by episode_id, instrument_no, direction
),
days as (
    select
        *,
        cast(floor(baseline_key / 1048576) as integer)
            * case when floor(baseline_key / 524288) % 2 = 1 then 1 else -1 end as first_day,
        cast(floor(latest_key / 524288) as integer) - 14 as latest_day,
        cast(floor(nhs_first_key / 32768) as integer) - 14 as nhs_first_day,
        cast(floor(nhs_last_key / 32768) as integer) - 14 as nhs_last_day
    from picked
)
select
    episode_id,
    instrument_no,
    cast(scores as integer) as scores,
    due_mask,
    cast(floor(baseline_key / 8) % 32768 - 16384 as integer) * direction as first_tenths,
    first_day,
    nullif(baseline_key % 8, 7) as item_9_first,
    -- The latest score of the window is either on the baseline's day, then there is no later one, or after it.
    case when latest_day > first_day then cast(floor(latest_key / 8) % 32768 - 16384 as integer) * direction end
        as last_tenths,
    case when latest_day > first_day then latest_day end as last_day,
    case when latest_day > first_day and latest_key % 8 > 0 then cast(latest_key % 8 - 1 as integer) end
        as item_9_last,
    -- Every score of the window up to day 7 could be a baseline: none of them, but some score = it came late.
    baseline_key is null as late_first,
    cast(nhs_first_key % 32768 - 16384 as integer) * direction as nhs_first_tenths,
    nhs_first_day,
    case when nhs_last_day > nhs_first_day then cast(nhs_last_key % 32768 - 16384 as integer) * direction end
        as nhs_last_tenths,
    (week_0 % 32768 - 16384) * direction as week_0,
    (week_1 % 32768 - 16384) * direction as week_1,
    (week_2 % 32768 - 16384) * direction as week_2,
    (week_3 % 32768 - 16384) * direction as week_3,
    (week_4 % 32768 - 16384) * direction as week_4,
    (week_5 % 32768 - 16384) * direction as week_5,
    (week_6 % 32768 - 16384) * direction as week_6,
    (week_7 % 32768 - 16384) * direction as week_7,
    (week_8 % 32768 - 16384) * direction as week_8,
    (week_9 % 32768 - 16384) * direction as week_9,
    (week_10 % 32768 - 16384) * direction as week_10,
    (week_11 % 32768 - 16384) * direction as week_11,
    (week_12 % 32768 - 16384) * direction as week_12,
    (week_13 % 32768 - 16384) * direction as week_13,
    (week_14 % 32768 - 16384) * direction as week_14,
    (week_15 % 32768 - 16384) * direction as week_15,
    (week_16 % 32768 - 16384) * direction as week_16
from days;

-- The latest score of the person, of whatever stay, 120 to 240 and 305 to 425 days after the baseline (HEDIS DRR-E,
-- CMS159); on one day complete before prorated, then the worse state.
create or replace temp table score_later as
with line as (
    select
        e.person_id,
        i.instrument_no,
        i.direction,
        e.start_day + s.day as line_day,
        case when s.is_prorated then 0 else 1 end as is_complete,
        cast(round(s.total * 10) as integer) * i.direction + 16384 as signed_total
    from range_score as s
    inner join episode_stay as e on e.episode_id = s.episode_id
    inner join numbered_instrument as i on i.instrument = s.instrument
    -- The first stay of a person begins on day 0 of the line, and no baseline is taken more than 14 days before.
    where e.start_day + s.day >= 120 - 14
),
later as (
    select
        r.episode_id,
        r.instrument_no,
        l.direction,
        l.line_day - (e.start_day + r.first_day) as since,
        cast((l.line_day - (e.start_day + r.first_day)) * 2 + l.is_complete as bigint) * 32768 + l.signed_total as key
    from score_pair as r
    inner join episode_stay as e on e.episode_id = r.episode_id
    inner join line as l on l.person_id = e.person_id and l.instrument_no = r.instrument_no
    where l.line_day - (e.start_day + r.first_day) between 120 and 425
)
select
    episode_id,
    instrument_no,
    (max(key) filter (where since <= 240) % 32768 - 16384) * direction as six_month_tenths,
    (max(key) filter (where since >= 305) % 32768 - 16384) * direction as twelve_month_tenths
from later
group by episode_id, instrument_no, direction;

drop view owned_score;

drop table stray_score;

-- The band of every possible total, in tenths: severity is then an equality join, and no total has two bands.
create or replace temp table severity_band as
with total_band as (
    select b.instrument, t.total_tenths, min(b.band_order) as band_order
    from instrument as b
    inner join (select cast(range as integer) as total_tenths from range(0, 10231)) as t
        on t.total_tenths between round(b.band_low * 10) and round(b.band_high * 10)
    group by b.instrument, t.total_tenths
)
select i.instrument_no, t.total_tenths, b.band
from total_band as t
inner join instrument as b on b.instrument = t.instrument and b.band_order = t.band_order
inner join numbered_instrument as i on i.instrument = t.instrument;


-- ---------------------------------------------------------------------------------------------------------------
-- 5. Hospital, residential and detox stays around the exit
-- ---------------------------------------------------------------------------------------------------------------

-- Every stay of a person is placed against every closed episode of that person: the same stay can be a step-up of
-- the second episode and a readmission after the first. planned NULL (not known) counts as unplanned.
create or replace temp table episode_acute as
with placed as (
    select
        e.episode_id,
        a.start_day - e.line_exit as after_exit,
        a.end_day - e.line_exit as end_after_exit,
        a.start_day - e.start_day as on_day,
        e.exit_day,
        coalesce(a.planned, false) as planned,
        -- NULL exit = reason not known: then only day 0 is a direct transfer.
        a.start_day = e.line_exit
            or (a.start_day = e.line_exit + 1 and coalesce(e.exit = 'transferred_higher', false)) as is_transfer
    from range_acute_event as a
    inner join episode_stay as e on e.person_id = a.person_id
    where e.los_days is not null and a.level_of_care in ('inpatient', 'residential', 'detox')
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
    min(p.on_day) filter (where p.is_transfer or p.on_day between 1 and p.exit_day) as step_up_day
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


-- ---------------------------------------------------------------------------------------------------------------
-- 6. Substance use and follow-up
-- ---------------------------------------------------------------------------------------------------------------

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
        where s.day between e.los_days - 14 and e.los_days + 14 and s.day > 7
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
        bool_or(s.result in ('missed', 'refused')) as is_missed
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
    cast(count(*) filter (where not is_positive and not is_negative and not is_missed) as integer) as tests_excluded
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
    -- Without a day of its own the interview stands on the day it was due.
    case when is_reached then coalesce(seen_day, due_day) end as on_day
from placed;

-- What was seen of use after leaving, in days after discharge. An answer about the last 30 days covers the time since
-- discharge only at the first call.
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
            when any_use or days_abstinent < 30 then true
            when any_use = false or (due_day = 30 and days_abstinent = 30) then false
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
        case when p.episode_id is not null then false else i.days_abstinent = 30 end as is_abstinent,
        case when r.first_use_day <= i.on_day then false when i.any_use = false then true end as is_continuous,
        i.employed,
        i.stable_housing,
        i.arrested,
        i.attends_meetings
    from interview as i
    left join positive_before as p on p.episode_id = i.episode_id and p.due_day = i.due_day
    left join episode_relapse as r on r.episode_id = i.episode_id
)
select
    episode_id,
    bool_or(is_reached) filter (where due_day = 30) as reached_30,
    bool_or(is_abstinent) filter (where due_day = 30) as abstinent_30,
    min(outcome) filter (where due_day = 30) as outcome_30,
    bool_or(is_reached) filter (where due_day = 90) as reached_90,
    bool_or(is_abstinent) filter (where due_day = 90) as abstinent_90,
    min(outcome) filter (where due_day = 90) as outcome_90,
    bool_or(is_reached) filter (where due_day = 180) as reached_180,
    bool_or(is_abstinent) filter (where due_day = 180) as abstinent_180,
    min(outcome) filter (where due_day = 180) as outcome_180,
    bool_or(is_continuous) filter (where due_day = 180 and is_reached) as continuous_180,
    bool_or(employed) filter (where due_day = 180) as employed_180,
    bool_or(stable_housing) filter (where due_day = 180) as housed_180,
    bool_or(arrested) filter (where due_day = 180) as arrested_180,
    bool_or(attends_meetings) filter (where due_day = 180) as meetings_180,
    bool_or(is_reached) filter (where due_day = 365) as reached_365,
    bool_or(is_abstinent) filter (where due_day = 365) as abstinent_365,
    min(outcome) filter (where due_day = 365) as outcome_365
from judged
group by episode_id;

drop table interview;

drop table followup_window;


-- ---------------------------------------------------------------------------------------------------------------
-- 7. One row per episode
-- ---------------------------------------------------------------------------------------------------------------

-- Sorted by program, so that a query for one of them leaves out most of what was written.
create or replace temp table range_outcome as
with asked as (
    select
        u.program_id,
        max(i.instrument_no) filter (where i.instrument = 'phq9') as phq9,
        max(i.instrument_no) filter (where i.instrument = 'phqa') as phqa,
        max(i.instrument_no) filter (where i.instrument = 'gad7') as gad7
    from program_instrument as u
    inner join numbered_instrument as i on i.instrument = u.instrument
    group by u.program_id
),
program_instruments as (
    select
        program_id,
        -- The instrument whose baseline names an episode's severity: PHQ-9 where the program uses it, else PHQ-A,
        -- which has the same bands, else GAD-7, which has fewer and never 'moderately_severe'.
        coalesce(phq9, phqa, gad7) as severity,
        -- The two questionnaires of the NHS composite, where a program asks both.
        case when gad7 is not null then phq9 end as nhs_depression,
        case when phq9 is not null then gad7 end as nhs_anxiety
    from asked
),
joined as (
    select
        e.*,
        s.exit_day,
        s.exit,
        s.person_sequence,
        s.course,
        s.course_step,
        s.is_course_last,
        s.days_to_next_episode,
        s.line_exit,
        s.dose_minutes,
        cast(floor(s.full_days / 7) as integer) as full_weeks,
        v.band as baseline_severity,
        -- Complete first and last.
        i.nhs_depression is not null as uses_nhs_pair,
        np.nhs_first_tenths / 10e0 as nhs_depression_first,
        np.nhs_last_tenths / 10e0 as nhs_depression_last,
        na.nhs_first_tenths / 10e0 as nhs_anxiety_first,
        na.nhs_last_tenths / 10e0 as nhs_anxiety_last,
        a.episode_id is not null as has_attendance,
        -- Collected, but no row: nobody came, which is a count. Not collected at all: not known.
        c.attendance or a.episode_id is not null as knows_attendance,
        coalesce(a.attended_sessions, 0) as attended_sessions,
        coalesce(a.no_show_sessions, 0) as no_show_sessions,
        coalesce(a.cancelled_client_sessions, 0) as cancelled_client_sessions,
        coalesce(a.cancelled_late_sessions, 0) as cancelled_late_sessions,
        coalesce(a.notice_recorded_sessions, 0) as notice_recorded_sessions,
        coalesce(a.cancelled_program_sessions, 0) as cancelled_program_sessions,
        coalesce(k.attended_days, 0) as attended_days,
        coalesce(a.attended_minutes, 0) as attended_minutes,
        coalesce(a.group_minutes, 0) as group_minutes,
        coalesce(a.individual_minutes, 0) as individual_minutes,
        coalesce(a.family_minutes, 0) as family_minutes,
        coalesce(a.medication_minutes, 0) as medication_minutes,
        coalesce(a.other_minutes, 0) as other_minutes,
        a.first_attended_day,
        a.last_attended_day,
        a.attended_after_day_0,
        coalesce(k.early_attended_days, 0) as early_attended_days,
        case when s.dose_minutes is not null then coalesce(k.weeks_at_dose, 0) end as weeks_at_dose,
        c.acute_event and e.los_days is not null as knows_acute,
        c.capture as knows_capture,
        h.direct_transfer,
        h.direct_transfer_end_day,
        h.readmission_day,
        h.planned_admission_day,
        h.step_up_day,
        p.captured_days,
        c.acute_event as knows_stays,
        q.days_since_inpatient,
        c.substance_use as knows_use,
        u.days_used_admission,
        u.days_used_discharge,
        u.controlled_admission,
        t.tests_negative,
        t.tests_positive,
        t.tests_excluded,
        t.tests_missed,
        w.use_pattern,
        x.first_use_day,
        x.last_clean_day,
        c.followup as knows_followup,
        f.reached_30,
        f.abstinent_30,
        f.outcome_30,
        f.reached_90,
        f.abstinent_90,
        f.outcome_90,
        f.reached_180,
        f.abstinent_180,
        f.outcome_180,
        f.continuous_180,
        f.employed_180,
        f.housed_180,
        f.arrested_180,
        f.meetings_180,
        f.reached_365,
        f.abstinent_365,
        f.outcome_365
    from range_episode as e
    inner join episode_stay as s on s.episode_id = e.episode_id
    cross join collected as c
    left join episode_attendance as a on a.episode_id = e.episode_id
    left join episode_weeks as k on k.episode_id = e.episode_id
    left join episode_acute as h on h.episode_id = e.episode_id
    left join episode_capture as p on p.episode_id = e.episode_id
    left join episode_inpatient as q on q.episode_id = e.episode_id
    left join episode_use as u on u.episode_id = e.episode_id
    left join episode_tests as t on t.episode_id = e.episode_id
    left join episode_use_pattern as w on w.episode_id = e.episode_id
    left join episode_relapse as x on x.episode_id = e.episode_id
    left join episode_followup as f on f.episode_id = e.episode_id
    left join program_instruments as i on i.program_id = e.program_id
    left join score_pair as r on r.episode_id = e.episode_id and r.instrument_no = i.severity
    left join severity_band as v on v.instrument_no = r.instrument_no and v.total_tenths = r.first_tenths
    left join score_pair as np on np.episode_id = e.episode_id and np.instrument_no = i.nhs_depression
    left join score_pair as na on na.episode_id = e.episode_id and na.instrument_no = i.nhs_anxiety
)
select
    episode_id,
    person_id,
    program_id,
    site,
    population,
    track,
    level_of_care,
    modality,
    therapy,
    planned_weeks,
    primary_condition,
    age_band,
    gender,
    referral_source,
    payer_group,
    admit_period,
    discharge_period,
    start_day,
    los_days,
    exit_day,
    observed_days,
    los_days is not null as is_closed,
    discharge_reason,
    exit,
    baseline_severity,
    case
        when not has_attendance or full_weeks = 0 or weeks_at_dose is null then null
        when weeks_at_dose = 0 then 'none'
        when weeks_at_dose = full_weeks then 'every week'
        when weeks_at_dose * 2 < full_weeks then 'under half'
        else 'half or more'
    end as dose_band,
    uses_nhs_pair,
    nhs_depression_first,
    nhs_depression_last,
    nhs_anxiety_first,
    nhs_anxiety_last,
    person_sequence,
    los_days - exit_day as paperwork_lag,
    wait_days,
    course,
    course_step,
    is_course_last,
    days_to_next_episode,
    case when knows_attendance then attended_sessions end as attended_sessions,
    case when knows_attendance then no_show_sessions end as no_show_sessions,
    case when knows_attendance then cancelled_client_sessions end as cancelled_client_sessions,
    case when knows_attendance then cancelled_late_sessions end as cancelled_late_sessions,
    case when knows_attendance then notice_recorded_sessions end as notice_recorded_sessions,
    case when knows_attendance then cancelled_program_sessions end as cancelled_program_sessions,
    case when knows_attendance then attended_days end as attended_days,
    case when knows_attendance then attended_minutes end as attended_minutes,
    case when knows_attendance then group_minutes end as group_minutes,
    case when knows_attendance then individual_minutes end as individual_minutes,
    case when knows_attendance then family_minutes end as family_minutes,
    case when knows_attendance then medication_minutes end as medication_minutes,
    case when knows_attendance then other_minutes end as other_minutes,
    first_attended_day,
    last_attended_day,
    case when knows_attendance then early_attended_days end as early_attended_days,
    case when knows_attendance then full_weeks end as full_weeks,
    case when knows_attendance then weeks_at_dose end as weeks_at_dose,
    case when knows_acute then readmission_day end as readmission_day,
    case when knows_acute then coalesce(direct_transfer, false) end as direct_transfer,
    case when knows_acute then direct_transfer_end_day end as direct_transfer_end_day,
    case when knows_acute then planned_admission_day end as planned_admission_day,
    case when knows_acute then step_up_day end as step_up_day,
    case when knows_acute and knows_capture then coalesce(captured_days, 0) end as captured_days,
    case when knows_stays then days_since_inpatient end as days_since_inpatient,
    -- From the end of the hospital stay to the first session on a later day than that.
    case
        when knows_stays
            then days_since_inpatient
                + case when days_since_inpatient = 0 then attended_after_day_0 else first_attended_day end
    end as inpatient_to_session,
    case
        when track is not null then track in ('substance_use', 'co_occurring')
        else primary_condition in ('alcohol', 'opioid', 'stimulant', 'cannabis', 'co_occurring')
    end as is_sud,
    case when knows_use then days_used_admission end as days_used_admission,
    case when knows_use then days_used_discharge end as days_used_discharge,
    case when knows_use then days_used_admission = 0 end as abstinent_admission,
    case when knows_use then days_used_discharge = 0 end as abstinent_discharge,
    case when knows_use then controlled_admission end as controlled_admission,
    case when knows_use then coalesce(tests_negative, 0) end as tests_negative,
    case when knows_use then coalesce(tests_positive, 0) end as tests_positive,
    case when knows_use then coalesce(tests_excluded, 0) end as tests_excluded,
    case when knows_use then coalesce(tests_missed, 0) end as tests_missed,
    use_pattern,
    first_use_day,
    last_clean_day,
    employed_at_admission as employed_admission,
    stable_housing_at_admission as housed_admission,
    arrested_past_30_at_admission as arrested_admission,
    -- No row at all: not reached once the window is over and follow-up is collected; until then not known.
    case
        when reached_30 is not null then reached_30
        when knows_followup and observed_days >= los_days + 45 then false
    end as followup_30_reached,
    abstinent_30 as followup_30_abstinent,
    outcome_30 as followup_30_outcome,
    case
        when reached_90 is not null then reached_90
        when knows_followup and observed_days >= los_days + 120 then false
    end as followup_90_reached,
    abstinent_90 as followup_90_abstinent,
    outcome_90 as followup_90_outcome,
    case
        when reached_180 is not null then reached_180
        when knows_followup and observed_days >= los_days + 240 then false
    end as followup_180_reached,
    abstinent_180 as followup_180_abstinent,
    outcome_180 as followup_180_outcome,
    continuous_180 as followup_180_continuous,
    employed_180 as followup_180_employed,
    housed_180 as followup_180_housed,
    arrested_180 as followup_180_arrested,
    meetings_180 as followup_180_meetings,
    case
        when reached_365 is not null then reached_365
        when knows_followup and observed_days >= los_days + 425 then false
    end as followup_365_reached,
    abstinent_365 as followup_365_abstinent,
    outcome_365 as followup_365_outcome
from joined
order by program_id, admit_period, episode_id;

create table if not exists episode_outcome as select * from range_outcome with no data;

insert into episode_outcome select * from range_outcome;


-- ---------------------------------------------------------------------------------------------------------------
-- 8. One row per episode and instrument of its program; nobody is dropped for want of a score
-- ---------------------------------------------------------------------------------------------------------------

create or replace temp view range_score_outcome as
select
    e.episode_id,
    e.person_id,
    e.program_id,
    e.site,
    e.population,
    e.track,
    e.level_of_care,
    e.modality,
    e.therapy,
    e.planned_weeks,
    e.primary_condition,
    e.age_band,
    e.gender,
    e.referral_source,
    e.payer_group,
    e.admit_period,
    e.discharge_period,
    e.start_day,
    e.los_days,
    e.exit_day,
    e.observed_days,
    e.is_closed,
    e.discharge_reason,
    e.exit,
    v.band as baseline_severity,
    e.dose_band,
    e.person_sequence,
    e.instrument,
    e.direction,
    e.attended_days,
    e.attended_days >= 2 as treated,
    r.first_tenths / 10e0 as first,
    r.last_tenths / 10e0 as last,
    r.first_day,
    r.last_day,
    coalesce(r.scores, 0) as count,
    coalesce(r.late_first, false) as late_first,
    r.nhs_first_tenths / 10e0 as nhs_first,
    r.nhs_first_day,
    r.nhs_last_tenths / 10e0 as nhs_last,
    r.item_9_first,
    r.item_9_last,
    e.due_scores,
    case
        when e.due_scores is not null
            then cast(
                bit_count(coalesce(r.due_mask, 0) & ((cast(1 as bigint) << e.due_scores) - 1)) as integer
            )
    end as on_time_scores,
    m.six_month_tenths / 10e0 as six_months,
    m.twelve_month_tenths / 10e0 as twelve_months,
    r.week_0 / 10e0 as week_0,
    r.week_1 / 10e0 as week_1,
    r.week_2 / 10e0 as week_2,
    r.week_3 / 10e0 as week_3,
    r.week_4 / 10e0 as week_4,
    r.week_5 / 10e0 as week_5,
    r.week_6 / 10e0 as week_6,
    r.week_7 / 10e0 as week_7,
    r.week_8 / 10e0 as week_8,
    r.week_9 / 10e0 as week_9,
    r.week_10 / 10e0 as week_10,
    r.week_11 / 10e0 as week_11,
    r.week_12 / 10e0 as week_12,
    r.week_13 / 10e0 as week_13,
    r.week_14 / 10e0 as week_14,
    r.week_15 / 10e0 as week_15,
    r.week_16 / 10e0 as week_16
from (
    select
        o.*,
        i.instrument,
        i.instrument_no,
        i.direction,
        -- How many scores were due while enrolled; of an open stay those whose days of grace are over.
        case
            when i.every_days is not null
                then greatest(
                    0,
                    least(61, cast(floor(coalesce(o.exit_day, o.observed_days - 3) / i.every_days) as integer) + 1)
                )
        end as due_scores
    from range_outcome as o
    inner join program_instrument as u on u.program_id = o.program_id
    inner join numbered_instrument as i on i.instrument = u.instrument
) as e
left join score_pair as r on r.episode_id = e.episode_id and r.instrument_no = e.instrument_no
left join score_later as m on m.episode_id = e.episode_id and m.instrument_no = e.instrument_no
left join severity_band as v on v.instrument_no = e.instrument_no and v.total_tenths = r.first_tenths;

create table if not exists score_outcome as select * from range_score_outcome with no data;

-- Rows come nearly in the order of range_outcome: enough for leaving out, and sorting them would cost a tenth of all.
insert into score_outcome select * from range_score_outcome;

drop view range_score_outcome;


-- ---------------------------------------------------------------------------------------------------------------
-- 9. Only the three tables remain
-- ---------------------------------------------------------------------------------------------------------------

drop table numbered_instrument;

drop table range_outcome;

drop table episode_attendance;

drop table episode_stay;

drop table episode_weeks;

drop table score_pair;

drop table score_later;

drop table severity_band;

drop table episode_acute;

drop table episode_capture;

drop table episode_inpatient;

drop table episode_use;

drop table episode_tests;

drop table episode_use_pattern;

drop table episode_relapse;

drop table episode_followup;

drop view range_episode;

drop view range_attendance;

drop view range_score;

drop view range_substance_use;

drop view range_followup;

drop view range_acute_event;

drop view range_capture;
