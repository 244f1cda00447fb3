-- Lines: one row per department × department above it, with how many steps up that is.
-- Reads `departments`.
with recursive lines as (
    select department_id, parent_id as above_id, 1 as distance
    from departments
    where parent_id is not null
    union all
    select lines.department_id, departments.parent_id as above_id, distance + 1 as distance
    from lines
    join departments on departments.department_id = lines.above_id
    where departments.parent_id is not null
)

from lines
