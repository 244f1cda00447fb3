-- Rating sums: one row per published department that has ratings; its drivers' figures are computed from these sums.
-- Reads `ratings`, `department_nodes` and `pattern`. {sums} are sum_… over driver_0, driver_1, … and their products, and
-- lowest_… and highest_… per driver.
with cells as (
    select
        department_key,
        count(*) as sum_responses,
        count_if(is_superpromoter) as sum_superpromoters,
        count_if(is_promoter) as sum_promoters,
        count_if(is_passive) as sum_passives,
        {sums}
    from ratings
    group by department_key
),

paths as (
    select *, if(department_key = '', [], string_split(department_key, chr(31))) as path
    from cells
),

memberships as (
    select
        * exclude (department_key, path),
        unnest(list_transform(range(len(path) + 1), lambda depth: array_to_string(path[1:depth], chr(31)))) as department_key
    from paths
),

nodes as (
    select department_key, sum(columns('^sum_')), min(columns('^lowest_')), max(columns('^highest_'))
    from memberships
    group by department_key
)

select department_nodes.department_id, department_nodes.position, nodes.* exclude (department_key)
from nodes
join department_nodes using (department_key)
join pattern using (department_id)
where pattern.status = 'published'
order by department_nodes.position
