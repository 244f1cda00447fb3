-- Waves: one row, the wave that is to be released beside those before it; NULL where there is nothing to compare with.
-- Reads `counted` (the wave's responses), `departments` (its tree), core.quarantine and core.tallies; `$earlier` are the
-- waves before it, in order: labels do not always sort as they followed each other. `$over` are departments of the last
-- of them that nobody expects again: they moved, or have ended; `$strangers` are departments of this wave that should not
-- be there yet, or any more. `$invited` is how many people were asked, NULL where that is not known.
with own as (
    select
        count(score) as responses,
        count(*) - count(score) as missing_scores,
        count(*) as accepted_count,
        max(score) as largest_score,
        case when count(weight) > 0 then count(score) - count(weight) filter (score is not null) end as unweighted_count,
        count_if(is_contradictory) as contradictory_count
    from counted
),

-- Records that could not be given a wave are checked with their file.
quarantined as (
    select count(*) as quarantined_count
    from core.quarantine
    where survey = $survey and wave = $wave and batch in (select unnest($batches::integer[]))
),

earlier as (
    select wave, department_id, responses
    from core.tallies
    where survey = $survey and list_contains($earlier::varchar[], wave)
),

medians as (
    select median(responses) as median_responses
    from earlier
    where department_id = 'all'
),

before as (
    select
        nullif(count(*), 0) as departments_before,
        count_if(departments.department_id is null) as vanished_departments
    from earlier
    left join departments using (department_id)
    where earlier.wave = ($earlier::varchar[])[-1] and earlier.responses > 0
        and not list_contains($over::varchar[], earlier.department_id)
),

there as (
    select
        nullif(count(*), 0) as departments_now,
        count_if(list_contains($strangers::varchar[], department_id)) as strange_departments
    from departments
)

select
    own.*,
    quarantined_count,
    accepted_count + quarantined_count as in_count,
    $invited::bigint as invited_count,
    median_responses,
    departments_before,
    vanished_departments,
    departments_now,
    strange_departments
from own, quarantined, medians, before, there
