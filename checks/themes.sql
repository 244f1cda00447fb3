-- Themes: one row per word of one release that is said to set comments apart, with what could be subtracted of it.
-- Reads `promoter_metrics`, `themes` and `lines`, the rows of one survey and wave. What personal data look like is said
-- here once more, simply and apart from what removes them.
-- Of each row the nearest one above it that shows the same word.
with nearest as (
    select themes.language, themes.kind, themes.theme, themes.respondents, arg_min(above.department_id, distance) as above_id
    from themes
    join lines on lines.department_id = themes.department_id
    join themes as above
        on above.department_id = lines.above_id
        and (above.language, above.kind, above.theme) = (themes.language, themes.kind, themes.theme)
    group by themes.department_id, themes.language, themes.kind, themes.theme, themes.respondents
),

parts as (
    select above_id as department_id, language, kind, theme, sum(respondents) as respondents
    from nearest
    group by all
)

select
    coalesce(promoter_metrics.status = 'published', false) as is_published,
    themes.respondents as respondents,
    themes.respondents - coalesce(parts.respondents, 0) as respondents_left,
    coalesce(
        themes.respondents > case themes.kind
            when 'promoters' then promoter_metrics.promoters
            when 'passives' then promoter_metrics.passives
            else promoter_metrics.detractors
        end,
        false
    ) as is_too_many,
    themes.position as position,
    themes.z_score::double as z_score,
    not regexp_full_match(themes.theme, '[\p{L}\p{M}''\-]{2,30}(?: [\p{L}\p{M}''\-]{2,30})?')
        or regexp_matches(themes.theme, '[\p{N}@/:.]|(?i:www|https?|apenstaart)') as holds_personal_data
from themes
left join promoter_metrics on promoter_metrics.department_id = themes.department_id
left join parts
    on parts.department_id = themes.department_id
    and (parts.language, parts.kind, parts.theme) = (themes.language, themes.kind, themes.theme)
