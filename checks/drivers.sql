-- Drivers: one row per department × driver, beside what holds over all of the department's drivers.
-- Reads `drivers` and `pattern`.
select
    drivers.*,
    coalesce(pattern.status, 'unknown') as status,
    sum(importance) over department as importance_sum,
    count(importance) over department as important_count
from drivers
left join pattern using (department_id)
window department as (partition by department_id)
