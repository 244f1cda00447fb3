-- Comments without personal data: all that anything later reads of what respondents wrote.

-- One row per response with a comment that was counted, as the newest cleaning left it.
create table core.comments (
    batch integer not null,
    record_number bigint not null,
    version varchar not null,               -- hash of the recognisers and the survey's settings that cleaned it
    language varchar not null,              -- nl | en
    comment varchar not null,               -- personal data replaced by a word for its kind; on one line, cut where long
    removed map(varchar, integer) not null  -- kind → how often it was removed
);
