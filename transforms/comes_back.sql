-- Comes back: one row, how much of what a file that is gone said is said again by newer files of its source.
-- Reads `arrived` (batch, record_number, response_key): the answers of both; `$gone` is its batch, `$newer` are theirs.
with gone as (
    select record_number, response_key
    from arrived
    where batch = $gone
),

newer as (
    select batch, record_number, response_key
    from arrived
    where list_contains($newer::integer[], batch)
),

beginnings as (
    select newer.batch, count(*) as answers
    from gone
    join newer using (record_number, response_key)
    group by newer.batch
)

select
    count(*) as answers,
    count(distinct response_key) as unlike,
    count_if(response_key in (select response_key from newer)) as again,
    (select coalesce(max(answers), 0) from beginnings) as again_in_place
from gone
