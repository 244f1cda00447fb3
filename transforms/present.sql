-- Present: one row per answer of a wave of which several releases are out, with the releases that count it.
-- Reads `pooled`, the answers of each of these releases. An answer is the same by its response key and by what figures
-- show of it, and one of several alike by its place among them.
with copies as (
    select
        *,
        row_number() over (
            partition by release_id, response_key, department_key, score, segments
            order by batch, record_number
        ) as copy
    from pooled
)

select
    response_key,
    department_key,
    score,
    segments,
    copy,
    max(respondent_key) as respondent_key,
    max(responded_at) as responded_at,
    min(batch) as batch,
    arg_min(record_number, {'batch': batch, 'record_number': record_number}) as record_number,
    list(release_id order by release_id) as releases
from copies
group by response_key, department_key, score, segments, copy
