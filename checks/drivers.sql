-- Drivers: one row per department × driver, beside what holds over all of the department's drivers and what is left of its
-- people after those of the topmost departments below that show theirs. Reads `drivers`, `lines` and `pattern`.
with shown as (
    select department_id, max(responses) as responses from drivers group by department_id
),

-- Of each department the nearest one above it that is shown.
nearest as (
    select shown.department_id, shown.responses, arg_min(lines.above_id, distance) as above_id
    from shown
    join lines using (department_id)
    where lines.above_id in (select department_id from shown)
    group by all
),

parts as (
    select above_id as department_id, sum(responses) as responses from nearest group by above_id
)

select
    drivers.*,
    coalesce(pattern.status, 'unknown') as status,
    sum(importance) over department as importance_sum,
    count(importance) over department as important_count,
    count(*) over department as driver_count,
    drivers.responses - coalesce(parts.responses, 0) as responses_left
from drivers
left join pattern using (department_id)
left join parts using (department_id)
window department as (partition by department_id)
