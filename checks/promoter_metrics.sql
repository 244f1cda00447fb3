-- Promoter metrics: one row per department of a release, in its seal or in the published warehouse, and whether both say the same.
-- Reads mart.promoter_metrics, whose columns after the first three are the sealed table's, and that table at $sealed;
-- one that was sealed before a column was thought of has NULL there, in both.
with published as (
    select * exclude (release_id, revision, is_latest)
    from mart.promoter_metrics
    where release_id = $release_id
),

sealed as (
    from published where false
    union all by name
    from read_parquet($sealed)
)

select department_id, published is not distinct from sealed as is_as_sealed
from published
full join sealed using (department_id)
