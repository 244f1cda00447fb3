-- Incoming: one row per record of a landed file, in its order; text becomes typed, and what does not fit is flagged.
-- Made from the survey's mapping: {texts}, one trimmed text column per role, and {answers}, the same with missing codes
-- and value mappings applied; NULL is a missing answer or a question that was not asked. {relation} is the file, of
-- which {record} is the whole row: of one that {is_broken}, it is kept as it came.
-- Stages, so that no expression stands twice: the warehouse does not merge equal ones (see its settings).
with texts as (
    select {texts}
    from {relation} as {record}
),

blanks as (
    select {blanks}
    from texts
),

answers as (
    select {answers}
    from blanks
),

zones as (
    select *, {is_zoned} as responded_is_zoned
    from answers
),

times as (
    select
        *,
        case when responded_is_zoned then {zoned} end as responded_zoned,
        case when not responded_is_zoned then {wall} end as responded_wall
    from zones
),

typed as (
    select
        *,
        -- A time without a zone is the organisation's.
        case
            when not responded_is_zoned then responded_wall
            when isfinite(responded_zoned) then timezone({timezone}, responded_zoned)
        end as responded_local,
        case
            when not responded_is_zoned then timezone({timezone}, responded_wall)
            when isfinite(responded_zoned) then responded_zoned
        end as responded_instant,
        {department_key} as department_key,
        {levels_are_text} as department_levels_are_text,
        try_cast(score as double) as score_number,
        try_cast(told_count as double) as told_number,
        try_cast(told_count_most as double) as told_number_most,
        try_cast(acted_count as double) as acted_number,
        try_cast(warned_count as double) as warned_number,
        try_cast(warned_count_most as double) as warned_number_most,
        try_cast(warned_acted_count as double) as warned_acted_number{driver_numbers}
    from times
),

-- A fraction is not a score and not a number of people: it is not rounded, it is not readable.
whole as (
    select
        * exclude (score, told_count, told_count_most, acted_count, warned_count, warned_count_most, warned_acted_count),
        score as score_text,
        told_count as told_text,
        acted_count as acted_text,
        warned_count as warned_text,
        warned_acted_count as warned_acted_text,
        try_cast(case when score_number = trunc(score_number) then score_number end as smallint) as score,
        try_cast(case when told_number = trunc(told_number) then told_number end as integer) as told_count,
        try_cast(case when told_number_most = trunc(told_number_most) then told_number_most end as integer) as told_most,
        try_cast(case when acted_number = trunc(acted_number) then acted_number end as integer) as acted_count,
        try_cast(case when warned_number = trunc(warned_number) then warned_number end as integer) as warned_count,
        try_cast(case when warned_number_most = trunc(warned_number_most) then warned_number_most end as integer)
            as warned_most,
        try_cast(case when warned_acted_number = trunc(warned_acted_number) then warned_acted_number end as integer)
            as warned_acted_count,
        try_cast(weight as decimal(18, 10)) as weight_number,
        make_timestamp(epoch_us(responded_instant)) as responded_at,
        case
            when list_contains(['true', 't', 'yes', 'y', '1', '1.0', 'ja', 'j', 'waar'], lower(copied)) then true
            when list_contains(['false', 'f', 'no', 'n', '0', '0.0', 'nee', 'onwaar'], lower(copied)) then false
        end as is_copied
    from typed
),

-- Where no value of a role is a band, its upper bound is its lower one.
bands as (
    select
        *,
        {told_most} as told_count_most,
        {warned_most} as warned_count_most
    from whole
),

-- More acted than could have been told; a negative number is another error, which the row check tells.
judged as (
    select
        *,
        coalesce(told_count_most >= 0 and acted_count > told_count_most, false) as telling_is_void,
        coalesce(warned_count_most >= 0 and warned_acted_count > warned_count_most, false) as warning_is_void{driver_flags}
    from bands
),

conformed as (
    select
        {survey} as survey,
        response_key,
        respondent_key,
        {wave} as wave,
        responded_at,
        department_key,
        score,
        weight_number as weight,
        case when not telling_is_void then told_count end as told_count,
        case when not telling_is_void then told_count_most end as told_count_most,
        case when not telling_is_void then acted_count end as acted_count,
        is_copied,
        case when not warning_is_void then warned_count end as warned_count,
        case when not warning_is_void then warned_count_most end as warned_count_most,
        case when not warning_is_void then warned_acted_count end as warned_acted_count,
        telling_is_void or warning_is_void as is_contradictory{where_mapped},
        score_text is null or score is not null as score_is_readable,
        weight is null or weight_number is not null as weight_is_readable,
        responded is null or responded_at is not null as responded_at_is_readable,
        told_text is null or told_count is not null and told_count_most is not null as told_count_is_readable,
        acted_text is null or acted_count is not null as acted_count_is_readable,
        warned_text is null or warned_count is not null and warned_count_most is not null as warned_count_is_readable,
        warned_acted_text is null or warned_acted_count is not null as warned_acted_count_is_readable,
        copied is null or is_copied is not null as copied_is_readable,
        department_levels_are_text,
        {drivers_are_readable} as drivers_are_readable,
        {segments_are_text} as segments_are_text,
        record{also}
    from judged
)

select
    * exclude (record),
    case when {is_broken} then to_json(record)::varchar end as original
from conformed
