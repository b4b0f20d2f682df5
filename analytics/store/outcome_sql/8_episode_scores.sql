-- One row per episode and instrument of its program; nobody is dropped for want of a score.

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
    r.worst_tenths / 10e0 as worst,
    r.latest_tenths / 10e0 as latest,
    coalesce(r.late_first, false) as late_first,
    r.nhs_first_tenths / 10e0 as nhs_first,
    r.nhs_first_day,
    r.nhs_last_tenths / 10e0 as nhs_last,
    r.nhs_last_day,
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
        cast(i.instrument as instrument_code) as instrument,
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

-- In no order: to sort them would cost a tenth of all, and who asks for one program gains 10 ms in nine million rows.
insert into score_outcome select * from range_score_outcome;

drop view range_score_outcome;
