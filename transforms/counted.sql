-- Counted: one row per response that a revision counts: the answers as they are now, but those that wait as they were.
-- Reads `current`, `answers_touched` and `entering`.
with waiting as (
    select * from answers_touched join entering using (touch) where not enters
)

select batch, record_number
from current
anti join waiting on current.batch = waiting.current_batch and current.record_number = waiting.current_record_number
union all
select released_batch, released_record_number
from waiting
where released_batch is not null
