-- Which files count, and how the figures of a release were computed.

-- One row per file that a source of the survey offers or has offered, as of the newest run.
create table core.standing (
    survey varchar not null,
    source varchar not null,             -- as configured
    name varchar not null,               -- the file's own name
    file_id varchar not null,
    is_offered boolean not null,         -- false: it is gone from its source
    is_counted boolean not null,         -- false: it is gone, and its answers came back in newer files
    primary key (survey, source, name)
);

-- One row per release: what its figures depend on beside its responses.
create table core.methods (
    release_id varchar primary key,
    method_hash varchar not null         -- SHA-256 over the selects and functions that make figures, and their thresholds
);
