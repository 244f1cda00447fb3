-- Segments: one row per department × segment × value, beside whether the department is shown.
-- Reads `segments` and `pattern`.
select
    segments.* replace (nps::double as nps, nps_low::double as nps_low, nps_high::double as nps_high),
    coalesce(pattern.status = 'published', false) as is_published,
    count(*) over (partition by segments.department_id, segment, value) as rows_alike
from segments
left join pattern using (department_id)
