-- Records: one row per survey, over the files that count, each under its newest mapping; `gone` are those of its sources'
-- files that are no longer there. Before a first run the newest version of each file counts.
with newest as (
    select survey, file_id from raw.files
    qualify row_number() over (partition by survey, source, name order by fetched_at desc, file_id) = 1
),
files as (
    select survey, file_id from core.standing where is_counted
    union
    select survey, file_id from newest where survey not in (select survey from core.standing)
),
batches as (
    select b.* from core.batches as b
    where (b.survey, b.file_id) in (select (survey, file_id) from files)
    qualify row_number() over (partition by b.survey, b.file_id order by b.batch desc) = 1
)
select
    survey,
    count(*) as files,
    sum(in_count)::bigint as records,
    sum(quarantined_count)::bigint as quarantined,
    max(conformed_at) as conformed_at,
    list(batch order by batch) as batches,
    (
        select coalesce(list({'name': name, 'source': source, 'is_counted': is_counted} order by source, name), [])
        from core.standing
        where standing.survey = batches.survey and not is_offered
    ) as gone
from batches
group by survey
order by survey
