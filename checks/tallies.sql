-- Tallies: one row per department of the wave, beside the sums of its children and of the answers that hang on itself.
-- Reads core.tallies, `departments` (the wave's tree), `cells` (its direct answers) and `counted` (its responses).
with wave_tallies as (
    select *
    from core.tallies
    where survey = $survey and wave = $wave
),

below as (
    select
        parent_id as department_id,
        sum(responses) as responses_below,
        sum(missing_scores) as missing_below,
        sum(promoters) as promoters_below,
        sum(detractors) as detractors_below
    from wave_tallies
    join departments using (department_id)
    where parent_id is not null
    group by all
),

here as (
    select
        department_id,
        sum(responses) as responses_here,
        sum(missing_scores) as missing_here,
        sum(promoters) as promoters_here,
        sum(detractors) as detractors_here
    from cells
    join departments using (department_key)
    group by all
)

select
    wave_tallies.*,
    coalesce(responses_below, 0) as responses_below,
    coalesce(missing_below, 0) as missing_below,
    coalesce(promoters_below, 0) as promoters_below,
    coalesce(detractors_below, 0) as detractors_below,
    coalesce(responses_here, 0) as responses_here,
    coalesce(missing_here, 0) as missing_here,
    coalesce(promoters_here, 0) as promoters_here,
    coalesce(detractors_here, 0) as detractors_here,
    (select count(*) from counted) as counted_responses
from wave_tallies
left join below using (department_id)
left join here using (department_id)
