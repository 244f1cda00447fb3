-- Responses: one row per row rule that left records of the wave in quarantine, with how many, and how many there are in all.
-- Records that could not be given a wave count in each. Reads core.quarantine.
with broken as (
    select batch, record_number, line_number, unnest(rules) as rule
    from core.quarantine
    where batch in (select unnest($batches)) and (wave = $wave or wave is null)
)

select
    rule,
    count(*) as failed_count,
    (select count(distinct (batch, record_number, line_number)) from broken) as quarantined_count
from broken
group by rule
