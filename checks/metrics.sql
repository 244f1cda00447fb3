-- Metrics: one row per department of one release, with its residual: its counts less those of what is published below.
-- Reads `promoter_metrics`, the rows of one survey and wave. Who has the release can compute no more than residuals.
with recursive climbs as (
    select department_id as published_id, parent_id as ancestor_id
    from promoter_metrics
    where status = 'published' and parent_id is not null
    union all
    select climbs.published_id, suppressed.parent_id
    from climbs
    join promoter_metrics as suppressed on suppressed.department_id = climbs.ancestor_id
    where suppressed.status = 'suppressed'
),

below as (
    select
        climbs.ancestor_id as department_id,
        sum(published.responses) as responses_below,
        sum(published.promoters) as promoters_below,
        sum(published.passives) as passives_below,
        sum(published.detractors) as detractors_below
    from climbs
    join promoter_metrics as published on published.department_id = climbs.published_id
    join promoter_metrics as ancestor on ancestor.department_id = climbs.ancestor_id
    where ancestor.status = 'published'
    group by all
)

select
    promoter_metrics.*,
    promoter_metrics.department_id in (select parent_id from promoter_metrics where parent_id is not null) as has_parts,
    responses - coalesce(responses_below, 0) as residual,
    promoters - coalesce(promoters_below, 0) as residual_promoters,
    passives - coalesce(passives_below, 0) as residual_passives,
    detractors - coalesce(detractors_below, 0) as residual_detractors
from promoter_metrics
left join below using (department_id)
