-- What the numbered files need to know of the whole store. Run once by analytics/store/outcomes.py before them;
-- once.sql drops the table, the types stay with the outcome tables that use them.

-- The texts of which a column has few come to be codes: a score repeats those of its episode, and a code takes less time
-- to write, to sort and to group. Their order is that of the texts.
create or replace type therapy_code as enum (
    select distinct therapy from episode where therapy is not null order by therapy
);

create or replace type period_code as enum (
    select period
    from (select admit_period as period from episode union select discharge_period from episode)
    where period is not null
    order by period
);

create or replace type instrument_code as enum (select distinct instrument from instrument order by instrument);

create or replace type band_code as enum (select distinct band from instrument order by band);

-- Programs of which nobody has a row of attendance: not recorded there, which is not the same as nobody came.
-- Nearly every program is among the first rows, and only for those that are not all rows are looked through.
create or replace table program_without_attendance as
with seen as (
    select distinct e.program_id
    from episode as e
    semi join (select episode_id from attendance limit 100000) as a on a.episode_id = e.episode_id
),
unseen as (
    select episode_id, program_id
    from episode
    where program_id not in (select program_id from seen)
)
select distinct program_id
from unseen
where program_id not in (
    select u.program_id from unseen as u semi join attendance as a on a.episode_id = u.episode_id
);
