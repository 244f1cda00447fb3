-- Touched answers: one row per answer of a survey and wave that came, went or changed since the newest release.
-- Reads `released` (what that release counted) and `current` (what the files say now), both with core.responses' columns,
-- `department_nodes` (of all departments in either) and `pattern` (the first release's, frozen).
-- An answer is the same by its response key, and one of several under a key first by {said}, all that a revision's own
-- figures are made of, then by its place among the rest. Who answered and when are in no figure, and what a revision
-- carries as the first release made it (segments, ratings, comments) changes in none: a difference there touches nothing.
with answers as (
    select true as is_current, * from current anti join released using (batch, record_number)
    union all by name
    select false as is_current, * from released anti join current using (batch, record_number)
),

-- Most keys have the same on both sides; only the others are looked at one by one.
unlike_keys as (
    select distinct response_key
    from (
        select response_key
        from answers
        group by response_key, {said}
        having 2 * count_if(is_current) <> count(*)
    )
),

counted_alike as (
    select
        *,
        row_number() over (alike order by batch, record_number) as copy,
        count(*) over versions - count(*) over alike as copies_on_the_other_side
    from answers
    semi join unlike_keys using (response_key)
    window
        versions as (partition by response_key, {said}),
        alike as (partition by is_current, response_key, {said})
),

unlike as materialized (
    select
        is_current,
        response_key,
        batch,
        record_number,
        responded_at,
        coalesce(respondent_key::varchar, concat_ws(' ', 'answer', batch, record_number)) as respondent,
        case
            when score >= 9 then 'promoter' when score >= 7 then 'passive' when score >= 0 then 'detractor' else 'none'
        end as class,
        region,
        row_number() over (partition by is_current, response_key order by batch, record_number) as occurrence
    from counted_alike
    left join department_nodes using (department_key)
    left join pattern using (department_id)
    where copy > copies_on_the_other_side
)

select
    row_number() over (order by current.batch, current.record_number, released.batch, released.record_number) as touch,
    case
        when released.response_key is null then 'added' when current.response_key is null then 'removed' else 'edited'
    end as kind,
    released.batch as released_batch,
    released.record_number as released_record_number,
    released.region as released_region,
    released.class as released_class,
    released.respondent as released_respondent,
    released.responded_at as released_responded_at,
    current.batch as current_batch,
    current.record_number as current_record_number,
    current.region as current_region,
    current.class as current_class,
    current.respondent as current_respondent,
    current.responded_at as current_responded_at
from (from unlike where not is_current) as released
full outer join (from unlike where is_current) as current using (response_key, occurrence)
order by touch
