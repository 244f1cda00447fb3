-- Kept regions: one row per touched region with scores that stay: whose they are, and of which classes.
-- Reads `current`, `answers_touched`, `department_nodes` and `pattern`.
with touched as (
    select released_region as region from answers_touched
    union
    select current_region from answers_touched
)

select
    region,
    count(distinct respondent_key) + count_if(respondent_key is null)::bigint as respondents,
    count_if(score >= 9)::bigint as promoters,
    count_if(score between 7 and 8)::bigint as passives,
    count_if(score <= 6)::bigint as detractors
from current
anti join answers_touched
    on current.batch = answers_touched.current_batch and current.record_number = answers_touched.current_record_number
join department_nodes using (department_key)
join pattern using (department_id)
where score is not null and region in (from touched)
group by region
