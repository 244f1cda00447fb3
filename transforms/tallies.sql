-- Tallies: one row per survey × wave × department; everything later is computed from these sums.
-- Reads `cells` and `department_nodes`; each cell counts in its own department and in all above it, up to the organisation.
with paths as (
    select *, if(department_key = '', [], string_split(department_key, chr(31))) as path
    from cells
),

memberships as (
    select
        * exclude (department_key, path),
        unnest(list_transform(range(len(path) + 1), lambda depth: array_to_string(path[1:depth], chr(31)))) as department_key
    from paths
)

select
    $survey as survey,
    $wave as wave,
    department_nodes.department_id,
    coalesce(sum(responses), 0)::bigint as responses,
    coalesce(sum(missing_scores), 0)::bigint as missing_scores,
    coalesce(sum(promoters), 0)::bigint as promoters,
    coalesce(sum(passives), 0)::bigint as passives,
    coalesce(sum(detractors), 0)::bigint as detractors,
    sum(weight_sum) as weight_sum,
    sum(weight_square_sum) as weight_square_sum,
    case when sum(weight_sum) is not null then coalesce(sum(weighted_promoters), 0) end as weighted_promoters,
    case when sum(weight_sum) is not null then coalesce(sum(weighted_passives), 0) end as weighted_passives,
    case when sum(weight_sum) is not null then coalesce(sum(weighted_detractors), 0) end as weighted_detractors,
    coalesce(sum(told_known), 0)::bigint as told_known,
    coalesce(sum(told), 0)::bigint as told,
    coalesce(sum(influence_known), 0)::bigint as influence_known,
    coalesce(sum(superpromoters), 0)::bigint as superpromoters,
    coalesce(sum(warned_known), 0)::bigint as warned_known,
    coalesce(sum(warned), 0)::bigint as warned,
    coalesce(sum(warned_influence_known), 0)::bigint as warned_influence_known,
    coalesce(sum(antipromoters), 0)::bigint as antipromoters,
    coalesce(sum(contradictory), 0)::bigint as contradictory,
    coalesce(sum(respondent_promoters), 0)::bigint as respondent_promoters,
    coalesce(sum(respondent_passives), 0)::bigint as respondent_passives,
    coalesce(sum(respondent_detractors), 0)::bigint as respondent_detractors,
    coalesce(sum(people_told), 0)::bigint as people_told,
    coalesce(sum(people_told_squares), 0)::decimal(38, 0) as people_told_squares,
    coalesce(sum(paired), 0)::bigint as paired,
    coalesce(sum(paired_told), 0)::bigint as paired_told,
    coalesce(sum(paired_acted), 0)::bigint as paired_acted,
    coalesce(sum(paired_told_squares), 0)::decimal(38, 0) as paired_told_squares,
    coalesce(sum(paired_acted_squares), 0)::decimal(38, 0) as paired_acted_squares,
    coalesce(sum(paired_products), 0)::decimal(38, 0) as paired_products,
    coalesce(sum(tellers), 0)::bigint as tellers,
    coalesce(sum(paired_with_effect), 0)::bigint as paired_with_effect
from department_nodes
left join memberships using (department_key)
group by all
