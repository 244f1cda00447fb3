-- Themes: one row per published department × language × kind × term that sets the group's comments apart from the others'.
-- Reads `terms`, `voices`, `department_nodes` and `pattern`. Log-odds ratio with an informative Dirichlet prior (Monroe,
-- Colaresi, Quinn 2008, section 3.5): y is how many voices say the term, n the sum of y over all terms; the prior is
-- the whole survey's use of it, worth $prior terms. Words and pairs of words are two vocabularies, each with its own n.
-- A term needs $min_respondents voices in the group that say it, and as many that do not.
with placed as materialized (
    select voice, language, class, department_id
    from (
        select
            voice,
            language,
            class,
            unnest(list_transform(
                range(len(if(department_key = '', [], string_split(department_key, chr(31)))) + 1),
                lambda depth: array_to_string(string_split(department_key, chr(31))[1:depth], chr(31))
            )) as department_key
        from voices
    )
    join department_nodes using (department_key)
    join pattern using (department_id)
    where pattern.status = 'published'
),

speakers as (
    select department_id, language, class, count(*) as speakers from placed group by all
),

corpus as (
    select *, sum(said) over (partition by language, size) as said_all
    from (select language, size, term, count(*) as said from terms group by all)
),

sums as (
    select department_id, language, size, class, sum(said) as n
    from (select voice, language, size, count(*) as said from terms group by all)
    join placed using (voice, language)
    group by all
),

uses as (
    select department_id, language, size, term, class, count(*) as y, bit_xor(hash(voice)) as speakers_hash
    from terms
    semi join (from corpus where said >= $min_respondents) as often using (language, size, term)
    join placed using (voice, language)
    group by all
),

groups as (
    select
        *,
        class || 's' as kind,
        sum(y) over (partition by department_id, language, size, term) - y as y_others,
        n_all - n as n_others
    from uses
    join (select *, sum(n) over (partition by department_id, language, size) as n_all from sums)
        using (department_id, language, size, class)
    join speakers using (department_id, language, class)
),

scores as (
    select
        groups.*,
        $prior * said / said_all as a,
        ln((y + a) / nullif(n + $prior - y - a, 0)) - ln((y_others + a) / nullif(n_others + $prior - y_others - a, 0))
            as log_odds,
        1 / (y + a) + 1 / (y_others + a) as variance
    from groups
    join corpus using (language, size, term)
    where y >= $min_respondents and speakers - y >= $min_respondents and n_others > 0
)

select
    department_id,
    language,
    kind,
    term as theme,
    y::bigint as respondents,
    (speakers - y)::bigint as silent,
    speakers_hash::varchar as speakers_hash, -- equal where the very same voices say it
    round(log_odds, 10) as log_odds,
    round(log_odds / sqrt(variance), 10) as z_score
from scores
where round(log_odds / sqrt(variance), 10) >= $least
order by all
