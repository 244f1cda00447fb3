-- Changes: one row per department of one release, and whether what is said of how it moved holds.
-- Reads `promoter_metrics` and `changes`, the rows of one survey and wave.
with moved as (
    select
        department_id,
        count(*) as bases,
        count(distinct basis) as different_bases,
        bool_and(nps_change_low::double <= nps_change_high::double and p_value::double between 0 and 1) as is_possible,
        any_value(nps_change::double) filter (basis = 'previous') as nps_change_previous,
        any_value(p_value::double) filter (basis = 'previous') as p_value_previous,
        any_value(compared_release_id) filter (basis = 'previous') as release_id_previous
    from changes
    group by all
)

select
    coalesce(bases, 0) = 0 or (status is not distinct from 'published' and bases = different_bases) as is_shown,
    is_possible,
    nps_change::double is not distinct from nps_change_previous
        and change_p_value::double is not distinct from p_value_previous
        and previous_release_id is not distinct from release_id_previous as is_as_in_metrics
from promoter_metrics
full join moved using (department_id)
