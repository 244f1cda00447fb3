-- The working warehouse: raw (as it came) and core (typed, checked, one row per what it says).
create schema raw;
create schema core;

-- One row per file version that was landed for a survey; its bytes lie under landing/<file_id>.
create table raw.files (
    survey varchar not null,
    file_id varchar not null,            -- SHA-256 of the bytes as they came
    source varchar not null,             -- where it came from, as configured
    name varchar not null,               -- the file's own name
    format varchar not null,             -- csv | jsonl | parquet | excel
    bytes bigint not null,
    records bigint,                      -- NULL until it was parsed
    columns varchar[],                   -- as the header names them
    fetched_at timestamp not null,       -- UTC
    run_id varchar not null,
    primary key (survey, source, name, file_id)
);

-- One row per file version × mapping: the file conformed once under one mapping and one set of row rules.
create table core.batches (
    batch integer primary key,
    survey varchar not null,
    file_id varchar not null,
    mapping_hash varchar not null,       -- roles, wave, rules and transforms that made it
    conformed_at timestamp not null,     -- UTC
    in_count bigint not null,            -- records in the file, parser rejects included
    accepted_count bigint not null,      -- rows in core.responses
    quarantined_count bigint not null,   -- rows in core.quarantine
    unique (survey, file_id, mapping_hash)
);

-- One row per accepted response of a batch.
create table core.responses (
    survey varchar not null,
    batch integer not null,
    record_number bigint not null,       -- the record's place in its file, from 1
    response_key varchar not null,       -- the response id, or a hash of the whole row where none is mapped
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
    is_contradictory boolean not null    -- more acted than could have been told: those answers are void (NULL)
);

-- One row per record that failed a row check or the parser, with every rule it broke.
create table core.quarantine (
    survey varchar not null,
    batch integer not null,
    record_number bigint,                -- NULL where the parser rejected the line
    line_number bigint,                  -- only where a parser rejected a line
    wave varchar,                        -- NULL where it could not be told
    rules varchar[] not null,
    reason varchar,                      -- what the parser said
    original varchar not null,           -- the original row as JSON, or the rejected line
    quarantined_at timestamp not null    -- UTC
);

-- One row per response that a wave's figures count, from its second revision on; the first counts its batches whole.
create table core.counted (
    release_id varchar not null,
    batch integer not null,
    record_number bigint not null
);

-- One row per release × batch: what it was made from.
create table core.inputs (
    release_id varchar not null,
    batch integer not null,
    primary key (release_id, batch)
);

-- One row per survey × wave × state of its inputs that was looked at: a second look at the same finds nothing to do.
create table core.examined (
    survey varchar not null,
    wave varchar not null,
    inputs_hash varchar not null,        -- SHA-256 over the batches that the wave is made from
    release_id varchar,                  -- the release that was sealed of it; NULL where nothing might enter
    examined_at timestamp not null,      -- UTC
    primary key (survey, wave, inputs_hash)
);

-- One row per survey × wave × department: the sums from which every metric follows, of the newest run.
create table core.tallies (
    survey varchar not null,
    wave varchar not null,
    department_id varchar not null,
    responses bigint not null,             -- valid scores
    missing_scores bigint not null,        -- accepted responses without one
    promoters bigint not null,
    passives bigint not null,
    detractors bigint not null,
    weight_sum decimal(38, 10),             -- over valid scores; NULL where no weights are mapped
    weight_square_sum decimal(38, 20),
    weighted_promoters decimal(38, 10),
    weighted_passives decimal(38, 10),
    weighted_detractors decimal(38, 10),
    told_known bigint not null,            -- promoters who said whether they told others
    told bigint not null,                  -- promoters who told at least told_min others
    influence_known bigint not null,       -- of those, who said what came of it
    superpromoters bigint not null,        -- of those, with effect
    warned_known bigint not null,          -- detractors who said whether they warned others
    warned bigint not null,
    warned_influence_known bigint not null,
    antipromoters bigint not null,
    contradictory bigint not null,         -- answers that contradict each other
    respondent_promoters bigint not null,  -- each respondent once, in the class of his newest answer of the wave
    respondent_passives bigint not null,
    respondent_detractors bigint not null,
    primary key (survey, wave, department_id)
);

-- One row per release × department: what is shown, frozen with the wave's first release.
create table core.patterns (
    release_id varchar not null,
    department_id varchar not null,
    status varchar not null,               -- published | suppressed
    region varchar not null,               -- the published department whose region its own answers belong to
    primary key (release_id, department_id)
);
