-- Rolling windows: one row per department × number of waves pooled.
-- Reads `rolling`.
select
    * replace (nps::double as nps, nps_low::double as nps_low, nps_high::double as nps_high),
    len(pooled_waves) as wave_count,
    len(pooled_release_ids) as release_count,
    count(*) over (partition by department_id, waves) as rows_alike
from rolling
