-- Kept quotes: one row per quote of a wave's first release that a revision still shows.
-- Reads `first_quotes`, `counted`, core.comments and `tallies`. Left out is what nobody has written any more, word for
-- word, since personal data are removed by now or the comment was taken back; who wrote it plays no part.
select
    first_quotes.* exclude (place)
        replace (row_number() over (partition by department_id, language order by position) as position)
from first_quotes
join tallies using (department_id)
where promoters >= $min_respondents
    and quote in (select comments.comment from counted join core.comments as comments using (batch, record_number))
order by place
