-- Quotes: one row per quote of one release; what personal data look like is said here once more, simply and apart from
-- what removes them. Reads `promoter_metrics` and `quotes`, the rows of one survey and wave.
select
    coalesce(promoter_metrics.status = 'published', false) as is_published,
    quotes.position as position,
    count(*) over (partition by quotes.department_id, quotes.language) as quotes_beside,
    coalesce(promoter_metrics.promoters, 0) as promoters,
    length(quote) as characters,
    regexp_matches(quote, '@|＠|(?i:\bapenstaart|\bat\b.{1,40}\b(?:dot|punt)\b)') as holds_email,
    -- telephone, citizen service and account numbers, however they are spaced
    regexp_matches(quote, '\p{N}(?:[\s.,()/+\-–]*\p{N}){5}|(?i:\b[a-z]{2}\s?\p{N}{2}\s?[a-z]{4})') as holds_number,
    regexp_matches(quote, '(?i)https?:|\bwww\b|[\w\-]\.(?:nl|com|org|net|eu|be|de|uk|info|io|example)\b') as holds_address
from quotes
left join promoter_metrics using (department_id)
