-- Files: one row per batch that stands for the survey, beside the file before it of the same source; NULL where none was.
-- Reads core.batches, raw.files, core.quarantine and `standing` (the responses that stand, duplicates being settled).
with files as (
    select *
    from core.batches
    join raw.files using (survey, file_id)
    where batch in (select unnest($batches))
    qualify row_number() over (partition by batch order by fetched_at) = 1
),

stands as (
    select batch, count(*) as accepted_count
    from standing
    group by batch
),

rejected as (
    select batch, count(*) as rejected_count
    from core.quarantine
    where line_number is not null
    group by batch
),

befores as (
    select files.batch, arg_max(earlier.columns, (earlier.fetched_at, earlier.name)) as columns_before
    from files
    join raw.files as earlier
        on earlier.survey = files.survey and earlier.source = files.source and earlier.file_id <> files.file_id
    where earlier.fetched_at <= files.fetched_at and earlier.columns is not null
    group by files.batch
)

select
    files.file_id,
    files.columns,
    $mapped::varchar[] as mapped_columns,
    befores.columns_before,
    files.in_count,
    coalesce(stands.accepted_count, 0) as accepted_count,
    files.accepted_count - coalesce(stands.accepted_count, 0) as dropped_count,
    files.quarantined_count,
    coalesce(rejected.rejected_count, 0) as rejected_count
from files
left join stands using (batch)
left join rejected using (batch)
left join befores using (batch)
