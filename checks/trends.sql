-- Trends: one row per department of one release, and whether its course through the waves holds.
-- Reads `promoter_metrics` and `trends`, the rows of one survey and wave.
with courses as (
    select
        department_id,
        count(*) as waves,
        count(distinct position) as different_waves,
        arg_max(nps::double, position) as nps_newest,
        bool_and(nps_smooth::double between nps_smooth_low::double - 1e-6 and nps_smooth_high::double + 1e-6) as is_possible
    from trends
    group by all
)

select
    (status = 'published' and nps is not null) is not distinct from (waves is not null)
        and waves is not distinct from different_waves as is_shown,
    waves is null or nps::double is not distinct from nps_newest as is_as_in_metrics,
    is_possible
from promoter_metrics
full join courses using (department_id)
