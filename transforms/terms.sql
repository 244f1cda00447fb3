-- Terms: one row per voice × word, or two words that stand together: each voice says each of them once.
-- Reads `words`, `stop_words` and `given_names`. What is written with a capital inside sentences, at least half of the
-- times, is taken for a name and is no term. Two words make one where the second is a word of content, and the first too
-- or a stop word that may open a pair.
with usage as (
    select
        language,
        word,
        2 * count_if(is_capitalised_inside) >= greatest(count(word_before), 1) as is_capitalised
    from words
    group by all
),

vocabulary as (
    select
        usage.language,
        usage.word,
        length(usage.word) between 2 and 30 and stop_words.word is null as is_content,
        is_content or coalesce(stop_words.may_open, false) as may_open
    from usage
    left join stop_words on stop_words.language = usage.language and stop_words.word = usage.word
    where not is_capitalised and usage.word not in (select word from given_names)
)

select distinct voice, language, word as term, 1 as size
from words
join vocabulary using (language, word)
where is_content
union all
select distinct words.voice, words.language, words.word_before || ' ' || words.word as term, 2 as size
from words
join vocabulary as seconds on seconds.language = words.language and seconds.word = words.word
join vocabulary as firsts on firsts.language = words.language and firsts.word = words.word_before
where seconds.is_content and firsts.may_open
