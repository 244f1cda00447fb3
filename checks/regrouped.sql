-- Regrouped: one row per department of today × earlier release, with its residual, and whether what it says holds.
-- Reads `regrouped`, the rows of one survey and wave. Its residual is its counts less those of what is published below.
with recursive climbs as (
    select compared_release_id, department_id as published_id, parent_id as ancestor_id
    from regrouped
    where status = 'published' and parent_id is not null
    union all
    select climbs.compared_release_id, climbs.published_id, hidden.parent_id
    from climbs
    join regrouped as hidden
        on hidden.compared_release_id = climbs.compared_release_id and hidden.department_id = climbs.ancestor_id
    where hidden.status = 'suppressed'
),

below as (
    select
        climbs.compared_release_id,
        climbs.ancestor_id as department_id,
        sum(published.responses) as responses_below,
        sum(published.promoters) as promoters_below,
        sum(published.passives) as passives_below,
        sum(published.detractors) as detractors_below
    from climbs
    join regrouped as published
        on published.compared_release_id = climbs.compared_release_id
        and published.department_id = climbs.published_id
    group by all
)

select
    count(*) over (partition by compared_release_id, department_id) = 1
        and (level = 0) = (parent_id is null)
        and (level > 0 or status = 'published') as is_one_tree,
    status = 'published'
        or coalesce(responses, promoters, passives, detractors, nps, nps_low, nps_high) is null as is_empty_where_hidden,
    (compared_release_id, department_id) in (select (compared_release_id, parent_id) from regrouped) as has_parts,
    responses - coalesce(responses_below, 0) as residual,
    promoters - coalesce(promoters_below, 0) as residual_promoters,
    passives - coalesce(passives_below, 0) as residual_passives,
    detractors - coalesce(detractors_below, 0) as residual_detractors,
    promoters + passives + detractors = responses
        and (responses = 0 or abs(nps - 100.0 * (promoters - detractors) / responses) < 1e-6)
        and (responses = 0 or nps between nps_low - 1e-6 and nps_high + 1e-6) as is_possible
from regrouped
left join below using (compared_release_id, department_id)
