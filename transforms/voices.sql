-- Voices: one row per respondent who gave a score and wrote something; a pass of its own over single responses.
-- Reads `counted` and core.comments, of which personal data are removed; made only where comments are mapped. Each
-- respondent speaks once, by his newest answer with a comment, so that voices of departments add up. Who may be quoted:
-- superpromoters, or promoters where what makes a superpromoter was not asked.
select
    row_number() over (order by batch, record_number) as voice,
    response_key,
    department_key,
    comments.language,
    comments.comment,
    case when score >= 9 then 'promoter' when score >= 7 then 'passive' else 'detractor' end as class,
    score >= 9 and (
        not $told_is_asked
        or not ($acted_is_asked or $copied_is_asked)
        or coalesce(
            told_count >= $told_min
            and case
                when $acted_is_asked and $copied_is_asked then acted_count >= 1 or is_copied
                when $acted_is_asked then acted_count >= 1
                when $copied_is_asked then is_copied
            end,
            false
        )
    ) as may_be_quoted
from counted
join core.comments as comments using (batch, record_number)
where score is not null and trim(comments.comment) <> ''
qualify respondent_key is null or row_number() over (
    partition by respondent_key
    order by responded_at desc nulls last, batch desc, record_number desc
) = 1
