-- Scores: whose they are, then first, last and weekly ones.

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
        signed_total,
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
        max(signed_total) as worst_total,
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
        cast(floor(latest_key / 8) % 32768 - 16384 as integer) * direction as latest_tenths,
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
    -- Of every score of the window: the weeks keep only their latest, and end with the 17th.
    (worst_total - 16384) * direction as worst_tenths,
    -- Also without a baseline: who was first asked after day 7 was asked.
    latest_tenths,
    -- The latest score of the window is either on the baseline's day, then there is no later one, or after it.
    case when latest_day > first_day then latest_tenths end as last_tenths,
    case when latest_day > first_day then latest_day end as last_day,
    case when latest_day > first_day and latest_key % 8 > 0 then cast(latest_key % 8 - 1 as integer) end
        as item_9_last,
    -- Every score of the window up to day 7 could be a baseline: none of them, but some score = it came late.
    baseline_key is null as late_first,
    cast(nhs_first_key % 32768 - 16384 as integer) * direction as nhs_first_tenths,
    nhs_first_day,
    case when nhs_last_day > nhs_first_day then cast(nhs_last_key % 32768 - 16384 as integer) * direction end
        as nhs_last_tenths,
    case when nhs_last_day > nhs_first_day then nhs_last_day end as nhs_last_day,
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
select i.instrument_no, t.total_tenths, cast(b.band as band_code) as band
from total_band as t
inner join instrument as b on b.instrument = t.instrument and b.band_order = t.band_order
inner join numbered_instrument as i on i.instrument = t.instrument;
