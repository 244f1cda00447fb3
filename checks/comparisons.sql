-- Comparisons: one row per department of one release, and what is said of it beside the others.
-- Reads `promoter_metrics` and `comparisons`, the rows of one survey and wave.
select
    promoter_metrics.status = 'published' and promoter_metrics.nps is not null and promoter_metrics.level > 0 as is_shown,
    comparisons.department_id is not null as is_compared,
    promoter_metrics.nps::double as nps,
    comparisons.nps::double as nps_compared,
    organisation.responses - promoter_metrics.responses as responses_rest,
    nps_rest::double as nps_rest,
    rest_difference::double as rest_difference,
    rest_difference_low::double as rest_difference_low,
    rest_difference_high::double as rest_difference_high,
    rest_p_value::double as rest_p_value,
    funnel_centre::double as funnel_centre,
    funnel_low_95::double as funnel_low_95,
    funnel_high_95::double as funnel_high_95,
    funnel_low_998::double as funnel_low_998,
    funnel_high_998::double as funnel_high_998,
    nps_shrunken::double as nps_shrunken
from promoter_metrics
full join comparisons using (department_id)
left join promoter_metrics as organisation on organisation.level = 0
