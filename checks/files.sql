-- Files: one row per batch that stands for the survey, beside the file before it of the same source; NULL where none was.
-- Each count has a source of its own: records in, as the parser told; accepted and quarantined, the rows that are there;
-- dropped, those of which an equal one is kept, by how $duplicates says so. Reads core.batches, raw.files, core.responses,
-- core.quarantine and `standing` (the responses that stand, duplicates being settled).
with files as (
    select *, list_position($batches, batch) as place, max(records) over (partition by batch) as records_read
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

-- Of answers that are the same, all but the first are dropped; of those with one id, all but the newest.
answers as (
    select
        place,
        if(
            $duplicates = 'latest',
            hash(response_key),
            hash(
                response_key, respondent_key, wave, responded_at, department_key, score, weight, told_count, told_count_most,
                acted_count, is_copied, warned_count, warned_count_most, warned_acted_count
            )
        ) as same
    from core.responses
    join files using (batch)
    where $duplicates <> 'keep'
),

kept as (
    select if($duplicates = 'latest', last_place, first_place) as place, count(*) as kept_count
    from (select min(place) as first_place, max(place) as last_place from answers group by same)
    group by all
),

dropped as (
    select place, count(*) - coalesce(any_value(kept_count), 0) as dropped_count
    from answers
    left join kept using (place)
    group by place
),

set_aside as (
    select batch, count(*) as quarantined_count, count(line_number) as rejected_count
    from core.quarantine
    where batch in (select unnest($batches))
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
    files.records_read as in_count,
    coalesce(stands.accepted_count, 0) as accepted_count,
    coalesce(dropped.dropped_count, 0) as dropped_count,
    coalesce(set_aside.quarantined_count, 0) as quarantined_count,
    coalesce(set_aside.rejected_count, 0) as rejected_count
from files
left join stands using (batch)
left join dropped using (place)
left join set_aside using (batch)
left join befores using (batch)
