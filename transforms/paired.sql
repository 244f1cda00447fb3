-- Paired: one row per department × class before × class now × whether they moved: how many answered it in both waves.
-- A pass of its own over single responses, of two waves; made only where respondents are mapped. Reads `earlier` and
-- `first`, the responses that the other release and this wave's first one count, and `department_nodes`. Each respondent
-- counts once per wave, by his newest answer, as in disclosure control. Who answered for two departments moved,
-- and counts in those above both.
with now as (
    select
        respondent_key,
        department_key,
        case when score >= 9 then 'promoter' when score >= 7 then 'passive' else 'detractor' end as class
    from first
    where score is not null and respondent_key in (select respondent_key from earlier)
    qualify row_number() over (
        partition by respondent_key
        order by responded_at desc nulls last, batch desc, record_number desc
    ) = 1
),

before as (
    select
        respondent_key,
        department_key,
        case when score >= 9 then 'promoter' when score >= 7 then 'passive' else 'detractor' end as class
    from earlier
    where score is not null and respondent_key in (select respondent_key from now)
    qualify row_number() over (
        partition by respondent_key
        order by responded_at desc nulls last, batch desc, record_number desc
    ) = 1
),

pairs as (
    select
        if(now.department_key = '', [], string_split(now.department_key, chr(31))) as path,
        if(before.department_key = '', [], string_split(before.department_key, chr(31))) as path_before,
        before.class as class_before,
        now.class as class_now,
        path <> path_before as moved,
        count(*) as respondents
    from now
    join before using (respondent_key)
    group by all
),

memberships as (
    select
        class_before,
        class_now,
        moved,
        respondents,
        unnest(list_transform(
            list_filter(range(len(path) + 1), lambda depth: path[1:depth] = path_before[1:depth]),
            lambda depth: array_to_string(path[1:depth], chr(31))
        )) as department_key
    from pairs
)

select department_nodes.department_id, class_before, class_now, moved, sum(respondents)::bigint as respondents
from memberships
join department_nodes using (department_key)
group by all
order by all
