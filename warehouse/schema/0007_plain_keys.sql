-- Responses once more, with keys stored as they are: almost every one is different, so that looking for a way to compress
-- them took an eighth of the time of an insert and won little. Compression is chosen as a table is made.
alter table core.responses rename to responses_before;

-- One row per accepted response of a batch.
create table core.responses (
    survey varchar not null,
    batch integer not null,
    record_number bigint not null,       -- the record's place in its file, from 1
    response_key varchar not null using compression uncompressed, -- the response id, or a hash of the whole row where none is mapped
    respondent_key uhugeint,             -- keyed hash of the respondent id
    wave varchar not null,
    responded_at timestamp,              -- UTC
    department_key varchar not null,     -- path, top first, joined with chr(31); '' hangs on the organisation itself
    score tinyint,                       -- 0–10; NULL where missing
    weight decimal(18, 10),              -- NULL where no weights are mapped
    told_count integer,                  -- people told; of a band the lower bound
    told_count_most integer,             -- of a band the upper bound
    acted_count integer,                 -- of those told, how many did something
    is_copied boolean,                   -- someone copied the choice unasked
    warned_count integer,
    warned_count_most integer,
    warned_acted_count integer,
    is_contradictory boolean not null,   -- more acted than could have been told: those answers are void (NULL)
    comment varchar,                     -- as it was written: it may name persons, and never leaves core
    comment_language varchar,            -- as the data tell it
    drivers map(varchar, double),        -- the rating per driver; NULL where none was given
    segments map(varchar, varchar),      -- the label per segment
    stratum_key uhugeint,                -- keyed hash of the stratum; NULL where none is mapped or given
    cluster_key uhugeint                 -- the same of the cluster: a journey, a household
);
insert into core.responses by name from core.responses_before;
drop table core.responses_before;
