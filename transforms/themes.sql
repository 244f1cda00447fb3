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
    select
        department_id,
        language,
        count_if(class = 'promoter') as promoters,
        count_if(class = 'passive') as passives,
        count_if(class = 'detractor') as detractors
    from placed
    group by all
),

corpus as (
    select *, sum(said) over (partition by language, size) as said_all
    from (select language, size, term, count(*) as said from terms group by all)
),

sums as (
    select
        department_id,
        language,
        size,
        sum(said) as terms,
        coalesce(sum(said) filter (class = 'promoter'), 0) as promoter_terms,
        coalesce(sum(said) filter (class = 'passive'), 0) as passive_terms,
        coalesce(sum(said) filter (class = 'detractor'), 0) as detractor_terms
    from (select voice, language, size, count(*) as said from terms group by all)
    join placed using (voice, language)
    group by all
),

uses as (
    select
        department_id,
        language,
        size,
        term,
        count(*) as voices,
        count_if(class = 'promoter') as promoters,
        count_if(class = 'passive') as passives,
        count_if(class = 'detractor') as detractors,
        bit_xor(hash(voice)) filter (class = 'promoter') as promoters_hash,
        bit_xor(hash(voice)) filter (class = 'passive') as passives_hash,
        bit_xor(hash(voice)) filter (class = 'detractor') as detractors_hash
    from terms
    semi join (from corpus where said >= $min_respondents) as often using (language, size, term)
    join placed using (voice, language)
    group by all
),

groups as (
    select
        department_id, language, size, term, 'promoters' as kind,
        uses.promoters as y, uses.voices - uses.promoters as y_others,
        promoter_terms as n, terms - promoter_terms as n_others,
        speakers.promoters as speakers, promoters_hash as speakers_hash
    from uses
    join sums using (department_id, language, size)
    join speakers using (department_id, language)
    union all
    select
        department_id, language, size, term, 'passives' as kind,
        uses.passives as y, uses.voices - uses.passives as y_others,
        passive_terms as n, terms - passive_terms as n_others,
        speakers.passives as speakers, passives_hash as speakers_hash
    from uses
    join sums using (department_id, language, size)
    join speakers using (department_id, language)
    union all
    select
        department_id, language, size, term, 'detractors' as kind,
        uses.detractors as y, uses.voices - uses.detractors as y_others,
        detractor_terms as n, terms - detractor_terms as n_others,
        speakers.detractors as speakers, detractors_hash as speakers_hash
    from uses
    join sums using (department_id, language, size)
    join speakers using (department_id, language)
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
