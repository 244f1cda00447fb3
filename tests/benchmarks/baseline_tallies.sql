-- Tallies: one row per department of every level, the whole included, over the records that break no rule.
with accepted as (
    select
        *,
        case when score >= 9 then 'promoter' when score >= 7 then 'passive' when score >= 0 then 'detractor' end as class,
        case when score >= 9 then told >= 1 when score <= 6 then warned >= 1 end as spoke
    from read_parquet($parquet)
    where score_is_readable and weight_is_readable and told_is_readable and acted_is_readable and warned_is_readable
        and coalesce(score between 0 and 10, true) and coalesce(weight >= 0, true) and responded_at is not null
        and responded_at <= localtimestamp + interval 1 day
        and coalesce(told, 0) >= 0 and coalesce(acted, 0) >= 0 and coalesce(warned, 0) >= 0
),

repeated as (
    select respondent_id
    from accepted
    where class is not null
    group by all
    having count(*) > 1
),

by_recency as (
    select
        part,
        unit,
        department,
        class,
        row_number() over (partition by respondent_id order by responded_at desc, response_id desc) as recency
    from accepted
    where class is not null and respondent_id in (from repeated)
),

superseded as (
    select part, unit, department, class, count(*) as superseded
    from by_recency
    where recency > 1
    group by all
),

cells as (
    select
        part,
        unit,
        department,
        class,
        count(*) as answers,
        sum(weight) as weights,
        sum(weight * weight) as squares,
        count(spoke) as spoke_known,
        count_if(spoke) as spoke,
        count_if(spoke and class = 'promoter' and acted is not null) as effect_known,
        count_if(spoke and class = 'promoter' and acted >= 1) as effect
    from accepted
    group by all
),

nodes as (
    select
        part,
        unit,
        department,
        grouping_id(part, unit, department) as level,
        coalesce(sum(answers) filter (class is not null), 0) as responses,
        coalesce(sum(answers) filter (class is null), 0) as missing_scores,
        coalesce(sum(answers) filter (class = 'promoter'), 0) as promoters,
        coalesce(sum(answers) filter (class = 'passive'), 0) as passives,
        coalesce(sum(answers) filter (class = 'detractor'), 0) as detractors,
        sum(weights) filter (class is not null) as weight_sum,
        sum(squares) filter (class is not null) as weight_square_sum,
        sum(weights) filter (class = 'promoter') as weighted_promoters,
        sum(weights) filter (class = 'passive') as weighted_passives,
        sum(weights) filter (class = 'detractor') as weighted_detractors,
        coalesce(sum(spoke_known) filter (class = 'promoter'), 0) as told_known,
        coalesce(sum(spoke) filter (class = 'promoter'), 0) as told,
        coalesce(sum(effect_known), 0) as influence_known,
        coalesce(sum(effect), 0) as superpromoters,
        coalesce(sum(spoke_known) filter (class = 'detractor'), 0) as warned_known,
        coalesce(sum(spoke) filter (class = 'detractor'), 0) as warned,
        coalesce(sum(coalesce(answers, 0) - coalesce(superseded, 0)) filter (class = 'promoter'), 0) as respondent_promoters,
        coalesce(sum(coalesce(answers, 0) - coalesce(superseded, 0)) filter (class = 'passive'), 0) as respondent_passives,
        coalesce(sum(coalesce(answers, 0) - coalesce(superseded, 0)) filter (class = 'detractor'), 0) as respondent_detractors
    from (from cells union all by name from superseded)
    group by rollup (part, unit, department)
)

-- a blank department is no department of its own: its answers count in the unit
from nodes
where not (level = 0 and department is null)
