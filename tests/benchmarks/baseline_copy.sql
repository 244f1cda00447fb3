-- The export as typed Parquet: one row per record; what a cell holds besides a value of its type is told by a flag.
copy (
    select
        response_id,
        respondent_id,
        try_cast(responded_at as timestamp) as responded_at,
        part,
        unit,
        department,
        try_cast(score as tinyint) as score,
        try_cast(weight as decimal(9, 4)) as weight,
        try_cast(told as integer) as told,
        try_cast(acted as integer) as acted,
        try_cast(warned as integer) as warned,
        comment,
        score is null or try_cast(score as tinyint) is not null as score_is_readable,
        weight is null or try_cast(weight as decimal(9, 4)) is not null as weight_is_readable,
        told is null or try_cast(told as integer) is not null as told_is_readable,
        acted is null or try_cast(acted as integer) is not null as acted_is_readable,
        warned is null or try_cast(warned as integer) is not null as warned_is_readable,
        responded_at is null or try_cast(responded_at as timestamp) is not null as responded_at_is_readable
    from read_csv($csv, header = true, delim = ',', quote = '"', escape = '"', all_varchar = true)
) to $parquet (format parquet)
