-- Records: one row per survey, over the newest version of each file under its newest mapping.
with files as (
    select survey, file_id from raw.files
    qualify row_number() over (partition by survey, source, name order by fetched_at desc, file_id) = 1
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
    list(batch order by batch) as batches
from batches
group by survey
order by survey
