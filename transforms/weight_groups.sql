-- Weight groups: one row per department × margin × category: how many people of each class, in it and in all below it.
-- Reads {responses} of one wave and `department_nodes`; each respondent once, by his newest answer that is weighted.
-- {labels} and {names} are made from those margins that are over segments. Who does not say his category is of no group.
with weighted as (
    select department_key, score, {labels}
    from ({responses})
    where score is not null and (not $has_design or weight is not null)
    qualify respondent_key is null or row_number() over (
        partition by respondent_key
        order by responded_at desc nulls last, batch desc, record_number desc
    ) = 1
),

cells as (
    select
        if(department_key = '', [], string_split(department_key, chr(31))) as path,
        {names},
        count_if(score >= 9) as promoters,
        count_if(score between 7 and 8) as passives,
        count_if(score <= 6) as detractors
    from weighted
    group by all
),

memberships as (
    select
        promoters,
        passives,
        detractors,
        {names},
        unnest(list_transform(range(len(path) + 1), lambda depth: array_to_string(path[1:depth], chr(31)))) as department_key
    from cells
),

nodes as (
    select
        department_id,
        {names},
        sum(promoters)::bigint as promoters,
        sum(passives)::bigint as passives,
        sum(detractors)::bigint as detractors
    from memberships
    join department_nodes using (department_key)
    group by all
)

select
    department_id,
    margin,
    category,
    sum(promoters)::bigint as promoters,
    sum(passives)::bigint as passives,
    sum(detractors)::bigint as detractors
from nodes
unpivot (category for margin in ({names}))
group by all
order by all
