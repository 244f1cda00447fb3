-- Sampled: one row per published department × stratum with answers of it: what the error of its weighted score is made of.
-- Reads `counted`, `department_nodes` and `pattern`; a pass of its own over single weights, where the sample's strata or
-- clusters are known. With m = Σws/Σw, an answer's u = w(s − m)/Σw (linearisation; Lumley 2010), summed over its cluster.
-- `clusters` are all of the stratum: those without an answer of the department have u = 0. Answers that do not say their
-- stratum are one together; one that does not say its cluster is its own.
with answers as (
    select
        department_key,
        coalesce(stratum_key, 0) as stratum,
        coalesce(cluster_key::varchar, concat_ws(' ', 'answer', batch, record_number)) as cluster,
        score,
        weight
    from counted
    where score is not null and weight is not null
),

cells as (
    select
        if(department_key = '', [], string_split(department_key, chr(31))) as path,
        stratum,
        cluster,
        sum(weight) as weights,
        coalesce(sum(weight) filter (score >= 9), 0) as promoters,
        coalesce(sum(weight) filter (score <= 6), 0) as detractors
    from answers
    group by all
),

sizes as (
    select stratum, count(distinct cluster) as clusters
    from cells
    group by all
),

memberships as (
    select
        * exclude (path),
        unnest(list_transform(range(len(path) + 1), lambda depth: array_to_string(path[1:depth], chr(31)))) as department_key
    from cells
),

drawn as (
    select
        department_id,
        stratum,
        cluster,
        sum(weights) as weights,
        sum(promoters) as promoters,
        sum(detractors) as detractors
    from memberships
    join department_nodes using (department_key)
    join pattern using (department_id)
    where pattern.status = 'published'
    group by all
),

totals as (
    select
        department_id,
        sum(weights)::double as total,
        sum(promoters)::double / nullif(total, 0) as promoter_share,
        sum(detractors)::double / nullif(total, 0) as detractor_share
    from drawn
    group by all
),

errors as (
    select
        department_id,
        stratum,
        (promoters - detractors - (promoter_share - detractor_share) * weights::double) / total as u
    from drawn
    join totals using (department_id)
)

-- Sums in one order, so that they are the same to the last bit.
select
    department_id,
    any_value(promoter_share) as promoter_share,
    any_value(detractor_share) as detractor_share,
    any_value(clusters) as clusters,
    count(*) as answered_clusters,
    sum(u order by u) as error_sum,
    sum(u * u order by u) as error_square_sum
from errors
join totals using (department_id)
join sizes using (stratum)
group by department_id, stratum
order by department_id, error_square_sum, error_sum, clusters
