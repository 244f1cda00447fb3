-- Waiting: one number, the answers of a wave that came, changed or went since its newest release counted them.
-- Reads `current` (what stands of the wave) and `released` (what that release counted), both with core.responses'
-- columns; an answer is the same by its response key, and unchanged by {said}, as in transforms/answers_touched.sql.
with answers as (
    select true as is_current, * from current anti join released using (batch, record_number)
    union all by name
    select false as is_current, * from released anti join current using (batch, record_number)
),

unlike as (
    select response_key, count_if(is_current) - count_if(not is_current) as more
    from answers
    group by response_key, {said}
),

touched as (
    select greatest(sum(greatest(more, 0)), sum(greatest(-more, 0))) as answers from unlike group by response_key
)

select coalesce(sum(answers), 0)::bigint from touched
