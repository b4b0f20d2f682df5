-- The outcome tables: episode_outcome, score_outcome, attendance_week. All windows, joins, "nearest", "first" and
-- "last" of the product live here and nowhere else; a measure is a row expression over the result.
--
-- The numbered files of this folder are one text, in the order of their numbers; a later one reads the helper tables
-- of earlier ones. analytics/store/outcomes.py runs it once per range of persons (variables first_episode ..
-- last_person), because every rule stays inside one person: time grows in proportion and memory stays flat.
--
-- Idioms, each for a reason (the same text has to give the same answer on every engine):
-- * A row is picked by packing the whole order into one integer key and taking its min or max, then reading the
--   key again: ties are decided by a rule, not by luck. `floor` stands before every cast of a division.
-- * Totals count in tenths (some instruments have steps of 0.1), times `direction`: +1 low is better, -1 high.
--   A larger signed total is always the worse state.
-- * NULL = not known, and stays NULL. Everything that counts is an INTEGER.
-- * "On the line" = on the person's own time line; other days count from the episode's admission.
--
-- First the rows of the range.

create or replace temp view range_episode as
select * from episode where episode_id between getvariable('first_episode') and getvariable('last_episode');

-- Attendance is the largest scan of all, so counts share sums, three to a number and 21 bits each: 2097152 is one in
-- the second place, 4398046511104 in the third. outcomes.py asserts that none overflowed.
-- A session without minutes still counts. Of minutes those recorded are summed; beside them the weeks count the
-- attended sessions without any, in the second place, so that a sum that lacks some is not shown as if it were whole.
create or replace temp view range_attendance as
select
    *,
    case when status = 'attended' then coalesce(minutes, 0) else 0 end as attended_minutes,
    case when status = 'attended' then coalesce(minutes, 2097152) else 0 end as packed_minutes,
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

create or replace temp view range_referral as
select episode_id, days_to_admission
from referral
where episode_id between getvariable('first_episode') and getvariable('last_episode');

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
