-- Only the three tables remain.

drop table numbered_instrument;

drop view range_outcome;

drop table episode_attendance;

drop table days_in_hospital;

drop table week_in_hospital;

drop table episode_in_hospital;

drop table episode_stay;

drop table episode_return;

drop table episode_request;

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

drop view range_referral;

drop view range_acute_event;

drop view range_capture;
