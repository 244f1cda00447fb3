-- Published: one row per row of a release's figures that is not the same in its seal and in the published warehouse.
-- Reads mart.promoter_metrics, whose columns after the first three are the sealed table's, and that table at $sealed.
with published as (
    select * exclude (release_id, revision, is_latest)
    from mart.promoter_metrics
    where release_id = $release_id
),

sealed as (
    select * from read_parquet($sealed)
)

(from published except all from sealed)
union all
(from sealed except all from published)
