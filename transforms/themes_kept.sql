-- Kept themes: one row per theme of a wave's first release that a revision still shows.
-- Reads `first_themes`, `terms` and `tallies`. Left out is what enough voices no longer say: personal data that are
-- removed by now, and comments that were taken back; and what more people said than are counted of the group now.
select
    first_themes.* exclude (place)
        replace (row_number() over (partition by department_id, language, kind order by position) as position)
from first_themes
join tallies using (department_id)
where respondents <= case kind when 'promoters' then promoters when 'passives' then passives else detractors end
    and (language, theme) in (
        select (language, term) from terms group by language, term having count(*) >= $min_respondents
    )
order by place
