-- One row: how many records break each rule.
with departments as (
    select part, unit, department, count(*) as records
    from read_parquet($parquet)
    group by all
),

text as (
    select coalesce(sum(records), 0) as unreadable
    from departments
    where regexp_matches(concat(part, unit, department), '[\x00-\x1f]')
        or greatest(length(part), length(unit), length(department)) > 200
)

select
    count(*) as records,
    count_if(not score_is_readable) as score_is_readable,
    count_if(score not between 0 and 10) as score_in_range,
    count_if(not weight_is_readable) as weight_is_readable,
    count_if(weight < 0) as weight_in_range,
    count_if(not responded_at_is_readable) as responded_at_is_readable,
    count_if(responded_at > localtimestamp + interval 1 day) as responded_at_is_past,
    count_if(responded_at is null) as wave_is_known,
    count_if(not told_is_readable) as told_count_is_readable,
    count_if(not acted_is_readable) as acted_count_is_readable,
    count_if(not warned_is_readable) as warned_count_is_readable,
    any_value(unreadable) as department_is_text,
    count_if(told < 0 or acted < 0 or warned < 0) as counts_are_not_negative
from read_parquet($parquet), text
