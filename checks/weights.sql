-- Weights: one row, the most that one answer carries and the least that weights leave, over all published departments.
-- Reads `counted`, `departments` and `pattern`; a pass of its own over single weights. NULL where nothing is weighted.
with cells as (
    select
        if(department_key = '', [], string_split(department_key, chr(31))) as path,
        count(*) as answers,
        max(weight) as largest,
        sum(weight) as weights,
        sum(weight * weight) as squares
    from counted
    where score is not null and weight is not null
    group by all
),

memberships as (
    select
        * exclude (path),
        unnest(list_transform(range(len(path) + 1), lambda depth: array_to_string(path[1:depth], chr(31)))) as department_key
    from cells
),

nodes as (
    select
        department_key,
        sum(answers)::double as answers,
        max(largest)::double as largest,
        sum(weights)::double as weights,
        sum(squares)::double as squares
    from memberships
    group by department_key
)

select
    -- in a small department every answer carries much; one that dominates carries far more than the others do
    max(if(largest > 3 * weights / answers, largest / weights, 0)) as dominant_share,
    1.0 as whole_share,
    min(weights * weights / squares / answers) as effective_share
from nodes
join departments using (department_key)
join pattern using (department_id)
where pattern.status = 'published' and weights > 0
