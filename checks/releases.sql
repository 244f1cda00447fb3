-- Releases: one row for a table of a release: how many of its rows only the published warehouse has, and only the seal.
-- Reads mart.{table}, whose columns but the first three are the sealed table's, and that table at $sealed; one that was
-- sealed before a column was thought of has NULL there, in both.
with published as (
    select * exclude (release_id, revision, is_latest)
    from mart.{table}
    where release_id = $release_id
),

sealed as (
    from published where false
    union all by name
    select {shown} from read_parquet($sealed)
)

select
    $table::varchar as table_name,
    (select count(*) from (from published except all from sealed)) as only_published,
    (select count(*) from (from sealed except all from published)) as only_sealed
