-- One row per episode.

-- Sorted by program, so that a query for one of them leaves out most of what was written.
create or replace temp view range_episode_outcome as
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
        e.* replace (
            cast(e.therapy as therapy_code) as therapy,
            cast(e.admit_period as period_code) as admit_period,
            cast(e.discharge_period as period_code) as discharge_period,
            coalesce(j.wait_days, e.wait_days, j.latest_wait_days) as wait_days
        ),
        s.exit_day,
        s.exit,
        s.person_sequence,
        s.course,
        s.course_step,
        s.is_course_last,
        s.days_to_next_episode,
        b.days_to_return,
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
        -- Collected, but no row: nobody came, which is a count. Not collected at all, or not in this program: not known.
        (c.attendance and n.program_id is null) or a.episode_id is not null as knows_attendance,
        -- One session without minutes, and no sum of minutes of the stay is known.
        not coalesce(k.lacks_minutes, false) and knows_attendance as knows_minutes,
        coalesce(a.attended_sessions, 0) as attended_sessions,
        coalesce(a.no_show_sessions, 0) - coalesce(m.no_show_sessions, 0) as no_show_sessions,
        coalesce(a.cancelled_client_sessions, 0) - coalesce(m.cancelled_client_sessions, 0)
            as cancelled_client_sessions,
        coalesce(a.cancelled_late_sessions, 0) - coalesce(m.cancelled_late_sessions, 0) as cancelled_late_sessions,
        coalesce(a.notice_recorded_sessions, 0) - coalesce(m.notice_recorded_sessions, 0) as notice_recorded_sessions,
        coalesce(a.cancelled_program_sessions, 0) as cancelled_program_sessions,
        coalesce(m.no_show_sessions + m.cancelled_client_sessions, 0) as hospital_sessions,
        coalesce(k.attended_days, 0) as attended_days,
        coalesce(a.recorded_minutes, 0) as attended_minutes,
        coalesce(a.group_minutes, 0) as group_minutes,
        coalesce(a.individual_minutes, 0) as individual_minutes,
        coalesce(a.family_minutes, 0) as family_minutes,
        coalesce(a.medication_minutes, 0) as medication_minutes,
        coalesce(a.other_minutes, 0) as other_minutes,
        a.first_attended_day,
        a.last_attended_day,
        a.attended_after_day_0,
        coalesce(k.early_attended_days, 0) as early_attended_days,
        -- No session in any week: none at dose. With sessions, NULL is what is not known.
        case when s.dose_minutes is not null
            then case when k.episode_id is null then 0 else k.weeks_at_dose end end as weeks_at_dose,
        case when k.episode_id is null then 0 else k.full_week_minutes end as full_week_minutes,
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
        t.tests_scheduled_negative,
        t.tests_scheduled_positive,
        t.tests_random_negative,
        t.tests_random_positive,
        w.use_pattern,
        x.first_use_day,
        x.last_clean_day,
        c.followup as knows_followup,
        f.reached_30,
        f.abstinent_30,
        f.outcome_30,
        f.controlled_30,
        f.reached_90,
        f.abstinent_90,
        f.outcome_90,
        f.controlled_90,
        f.reached_180,
        f.abstinent_180,
        f.outcome_180,
        f.controlled_180,
        f.any_use_180,
        f.employed_180,
        f.housed_180,
        f.arrested_180,
        f.meetings_180,
        f.reached_365,
        f.abstinent_365,
        f.outcome_365,
        f.controlled_365,
        f.gpra_reached
    from range_episode as e
    inner join episode_stay as s on s.episode_id = e.episode_id
    left join episode_return as b on b.episode_id = e.episode_id
    cross join collected as c
    left join program_without_attendance as n on n.program_id = e.program_id
    left join episode_request as j on j.episode_id = e.episode_id
    left join episode_attendance as a on a.episode_id = e.episode_id
    left join episode_weeks as k on k.episode_id = e.episode_id
    left join episode_in_hospital as m on m.episode_id = e.episode_id
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
    cast(
        case
            when not has_attendance or full_weeks = 0 or weeks_at_dose is null then null
            when weeks_at_dose = 0 then 'none'
            when weeks_at_dose = full_weeks then 'every week'
            when weeks_at_dose * 2 < full_weeks then 'under half'
            else 'half or more'
        end as dose_band_code
    ) as dose_band,
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
    days_to_return,
    case when knows_attendance then attended_sessions end as attended_sessions,
    case when knows_attendance then no_show_sessions end as no_show_sessions,
    case when knows_attendance then cancelled_client_sessions end as cancelled_client_sessions,
    case when knows_attendance then cancelled_late_sessions end as cancelled_late_sessions,
    case when knows_attendance then notice_recorded_sessions end as notice_recorded_sessions,
    case when knows_attendance then cancelled_program_sessions end as cancelled_program_sessions,
    -- Missed or cancelled while in hospital: in none of the columns before.
    case when knows_attendance and knows_stays then hospital_sessions end as hospital_sessions,
    case when knows_attendance then attended_days end as attended_days,
    case when knows_minutes then attended_minutes end as attended_minutes,
    case when knows_minutes then group_minutes end as group_minutes,
    case when knows_minutes then individual_minutes end as individual_minutes,
    case when knows_minutes then family_minutes end as family_minutes,
    case when knows_minutes then medication_minutes end as medication_minutes,
    case when knows_minutes then other_minutes end as other_minutes,
    first_attended_day,
    last_attended_day,
    case when knows_attendance then early_attended_days end as early_attended_days,
    case when knows_attendance then full_weeks end as full_weeks,
    case when knows_attendance then weeks_at_dose end as weeks_at_dose,
    case when knows_attendance then full_week_minutes end as full_week_minutes,
    case when knows_acute then readmission_day end as readmission_day,
    case when knows_acute then coalesce(direct_transfer, false) end as direct_transfer,
    case when knows_acute then direct_transfer_end_day end as direct_transfer_end_day,
    case when knows_acute then planned_admission_day end as planned_admission_day,
    case when knows_stays then step_up_day end as step_up_day,
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
    case when knows_use then coalesce(tests_scheduled_negative, 0) end as tests_scheduled_negative,
    case when knows_use then coalesce(tests_scheduled_positive, 0) end as tests_scheduled_positive,
    case when knows_use then coalesce(tests_random_negative, 0) end as tests_random_negative,
    case when knows_use then coalesce(tests_random_positive, 0) end as tests_random_positive,
    use_pattern,
    first_use_day,
    last_clean_day,
    consent_followup,
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
    controlled_30 as followup_30_controlled,
    case
        when reached_90 is not null then reached_90
        when knows_followup and observed_days >= los_days + 120 then false
    end as followup_90_reached,
    abstinent_90 as followup_90_abstinent,
    outcome_90 as followup_90_outcome,
    controlled_90 as followup_90_controlled,
    case
        when reached_180 is not null then reached_180
        when knows_followup and observed_days >= los_days + 240 then false
    end as followup_180_reached,
    abstinent_180 as followup_180_abstinent,
    outcome_180 as followup_180_outcome,
    controlled_180 as followup_180_controlled,
    -- Use that was seen before the call's window ended is known, whether or not the person was reached.
    case when first_use_day <= 240 then false when any_use_180 = false then true end as followup_180_continuous,
    employed_180 as followup_180_employed,
    housed_180 as followup_180_housed,
    arrested_180 as followup_180_arrested,
    meetings_180 as followup_180_meetings,
    case
        when reached_365 is not null then reached_365
        when knows_followup and observed_days >= los_days + 425 then false
    end as followup_365_reached,
    abstinent_365 as followup_365_abstinent,
    outcome_365 as followup_365_outcome,
    controlled_365 as followup_365_controlled,
    gpra_reached
from joined
order by program_id, admit_period, episode_id;

create table if not exists episode_outcome as select * from range_episode_outcome with no data;

insert into episode_outcome select * from range_episode_outcome;

drop view range_episode_outcome;

-- Read back from what was written: a copy kept aside for the scores would cost more.
create or replace temp view range_outcome as
select * from episode_outcome
where episode_id between getvariable('first_episode') and getvariable('last_episode');
