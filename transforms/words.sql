-- Words: one row per word of each voice, with the word right before it; a pass of its own over comments.
-- Reads `voices`. In small letters, composed (NFC), diacritics kept. Punctuation, placeholders such as [name], and what
-- holds a digit, an at sign or a dot are no words, and what stands on their two sides does not stand together.
with texts as (
    select
        voice,
        language,
        regexp_extract_all(
            regexp_replace(replace(nfc_normalize(left(comment, 2000)), '’', ''''), '\[[^\]]*\]', ' | ', 'g'),
            '[\p{L}\p{M}\p{N}_@#&]+(?:[''.:/\-][\p{L}\p{M}\p{N}_@#&]+)*|[^\s\p{L}\p{M}\p{N}_@#&]'
        ) as tokens
    from voices
),

tokens as (
    select voice, language, unnest(tokens) as token, unnest(list_prepend(null, tokens)[:-2]) as token_before
    from texts
)

select
    voice,
    language,
    lower(token) as word,
    case
        when regexp_full_match(token_before, '\p{L}[\p{L}\p{M}]*(?:[''\-]\p{L}[\p{L}\p{M}]*)*') then lower(token_before)
    end as word_before,
    word_before is not null and regexp_matches(token, '^\p{Lu}[^\p{Lu}]*$') as is_capitalised_inside
from tokens
where regexp_full_match(token, '\p{L}[\p{L}\p{M}]*(?:[''\-]\p{L}[\p{L}\p{M}]*)*')
