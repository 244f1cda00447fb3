-- Ratings: one row per respondent who gave a score and rated every driver: drivers' own pass over single responses.
-- Reads `counted`. {ratings} is made from the survey's mapping: driver_1, driver_2, … in its order, to four decimals, so
-- that sums are exact in any order; a rating that does not fit is none. driver_0 is the score. Each respondent rates
-- once, by his newest answer with all of it, so that ratings of departments add up and their counts are of people.
with rated as (
    select
        department_key,
        score::decimal(12, 4) as driver_0,
        {ratings},
        score >= 9 as is_promoter,
        score between 7 and 8 as is_passive,
        coalesce(
            score >= 9 and told_count >= $told_min
            and case
                when $acted_is_asked and $copied_is_asked then acted_count >= 1 or is_copied
                when $acted_is_asked then acted_count >= 1
                when $copied_is_asked then is_copied
            end,
            false
        ) as is_superpromoter,
        md5_number_lower(response_key) as draw_key,
        respondent_key,
        responded_at,
        batch,
        record_number
    from counted
    where score is not null
)

select * exclude (respondent_key, responded_at, batch, record_number)
from rated
where {is_complete}
qualify respondent_key is null or row_number() over (
    partition by respondent_key
    order by responded_at desc nulls last, batch desc, record_number desc
) = 1
