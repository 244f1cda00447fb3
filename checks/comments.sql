-- Comments: one row per response that is counted and wrote something, with what holds of its cleaned text; no text.
-- Reads `counted` and core.comments. What must be gone is looked for anew, in another engine.
select
    cleaned.batch is not null as is_cleaned,
    cleaned.batch is null or cleaned.version = $version as is_of_this_version,
    coalesce(cleaned.language in ('nl', 'en') and length(cleaned.comment) <= $longest, true) as is_short,
    coalesce(not regexp_matches(cleaned.comment, '[\x00-\x1f\x7f\x{202a}-\x{202e}\x{2066}-\x{2069}\x{200b}]'), true)
        as is_plain,
    coalesce(
        not regexp_matches(cleaned.comment, '[^\s@<>()\[\]{}",;:]@[^\s@<>()\[\]{}",;:]+\.[a-zA-Z]{2}|[a-z]://[^\s]'),
        true
    ) as has_no_address
from counted
left join core.comments as cleaned using (batch, record_number)
where counted.comment is not null
