-- Rating sample: at most $most rows of `ratings` per department of `rated_departments`, for the bootstrap of its intervals.
-- Which rows depends on their response's key alone, not on what was answered nor on when it was landed.
with drawn as (
    select *
    from ratings
    qualify row_number() over (partition by department_key order by draw_key, {drivers}) <= $most
),

paths as (
    select *, if(department_key = '', [], string_split(department_key, chr(31))) as path
    from drawn
),

-- The first of a department are among the first of its parts.
memberships as (
    select
        * exclude (department_key, path),
        unnest(list_transform(range(len(path) + 1), lambda depth: array_to_string(path[1:depth], chr(31)))) as department_key
    from paths
)

select department_nodes.department_id, {doubles}
from memberships
join department_nodes using (department_key)
join rated_departments using (department_id)
qualify row_number() over (partition by department_nodes.department_id order by draw_key, {drivers}) <= $most
order by department_nodes.position, draw_key, {drivers}
