-- Quotes: at most $most rows per published department × language: what may be quoted of those who carry it on.
-- Reads `voices`, `words`, `terms`, `stop_words`, `given_names`, `department_nodes`, `pattern`, and `shown_themes`, the
-- themes of promoters that are shown. A quote has 20 to 200 characters of Latin letters and plain punctuation: no
-- placeholder, digit, address or mark-up; nothing shouted, coarse, or written like a name that few write; and every word of
-- it is somebody else's too. It says at least one shown theme. Where fewer than $min_respondents may be quoted there is none.
-- `draw` is keyed with the home's secret: which of equals are taken, and their order, tell nothing.
with unfit as (
    select voice
    from words
    join (
        select
            language,
            word,
            count(distinct voice) < 2
                or (2 * count_if(is_capitalised_inside) >= greatest(count(word_before), 1) and count(distinct voice) < $min_respondents)
                as is_rare
        from words
        group by all
    ) as uses using (language, word)
    left join stop_words using (language, word)
    left join given_names using (word)
    where is_rare or is_coarse or given_names.word is not null
),

placed as (
    select voice, language, comment, response_key, department_id, position
    from (
        select
            voice,
            language,
            comment,
            response_key,
            unnest(list_transform(
                range(len(if(department_key = '', [], string_split(department_key, chr(31)))) + 1),
                lambda depth: array_to_string(string_split(department_key, chr(31))[1:depth], chr(31))
            )) as department_key
        from voices
        where may_be_quoted
    )
    join department_nodes using (department_key)
    join pattern using (department_id)
    where pattern.status = 'published'
    qualify count(*) over (partition by department_id, language) >= $min_respondents
),

fit as (
    select *
    from placed
    where length(comment) between 20 and 200
        and regexp_full_match(comment, '[\p{Latin}\p{M} .,;:!?''’‘"“”„()\-–—…&]+')
        and not regexp_matches(comment, '\p{L}[.:&]\p{L}|[!?]{2}|\p{Lu}{4}|(?i:www|https?)')
        and voice not in (select voice from unfit)
),

themed as (
    select fit.*, count(*) as themes
    from fit
    join terms on terms.voice = fit.voice
    join shown_themes
        on shown_themes.department_id = fit.department_id
        and shown_themes.language = fit.language
        and shown_themes.theme = terms.term
    group by all
)

select
    department_id,
    language,
    themes,
    comment as quote,
    sha256(concat_ws(chr(31), $key, department_id, response_key, comment)) as draw
from themed
qualify row_number() over (partition by department_id, language, lower(comment) order by draw) = 1
    and dense_rank() over (partition by department_id, language order by themes desc, draw) <= $most
order by position, language, themes desc, draw
