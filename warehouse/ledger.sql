-- The ledger: facts that are written once, events that are only ever added, and leases, which come and go.
-- Times are UTC, ISO 8601 with microseconds, so that their order as text is their order in time.

-- One row per sealed release.
create table releases (
    release_id text primary key,
    survey text not null,
    wave text not null,
    revision integer not null,
    reason text,                         -- why the revision was made
    previous_release_id text,            -- the release that its changes are measured against
    departments integer not null,
    content_sha256 text not null,        -- of release.json, as everyone receives it
    sealed_at text not null
) strict;

-- One row per moment: a T, or none where it opens as soon as it is armed.
create table moments (
    moment_id text primary key,
    planned_at text,
    created_at text not null
) strict;

-- One row per release × recipient × channel.
create table deliveries (
    delivery_id text primary key,        -- random; with the home's secret it gives the key under which it is sent, and sent again
    release_id text not null references releases (release_id),
    recipient text not null,             -- department and serial number, never an address
    channel text not null,
    language text not null,
    target text,                         -- JSON; of an address only host or server, and a keyed hash of the whole
    created_at text not null
) strict;
create index deliveries_of_release on deliveries (release_id);

-- One row per thing that happened. A release's state, a moment's and a delivery's follow from these alone.
create table events (
    event_id integer primary key autoincrement,
    at text not null,
    kind text not null,
    moment_id text,
    delivery_id text,
    release_ids text,                    -- JSON array: one row may speak of all the releases of a moment
    detail text not null default '{}',   -- JSON; `facts` are the digests of the rows above that it introduces
    hash text not null                   -- SHA-256 over the hash of the event before it and this row: see chain.py
) strict;
create index events_of_moment on events (moment_id, kind) where moment_id is not null;
create index events_of_delivery on events (delivery_id, kind) where delivery_id is not null;
create index events_of_releases on events (kind) where release_ids is not null;

-- One row per lease that is held now.
create table leases (
    name text primary key,
    token text not null,
    moment_id text,
    pid integer not null,
    started real not null,               -- seconds from boot to the start of the holder's process
    place text not null,                 -- host and process namespace: elsewhere a pid says nothing
    expires_at text not null
) strict;

create trigger events_are_kept before delete on events
begin select raise(abort, 'the ledger is append-only: an event is never deleted'); end;
create trigger events_stay before update on events
begin select raise(abort, 'the ledger is append-only: an event is never changed'); end;
create trigger releases_are_kept before delete on releases
begin select raise(abort, 'the ledger is append-only: a release is never deleted'); end;
create trigger releases_stay before update on releases
begin select raise(abort, 'the ledger is append-only: a release is never changed'); end;
create trigger moments_are_kept before delete on moments
begin select raise(abort, 'the ledger is append-only: a moment is never deleted'); end;
create trigger moments_stay before update on moments
begin select raise(abort, 'the ledger is append-only: a moment is never changed'); end;
create trigger deliveries_are_kept before delete on deliveries
begin select raise(abort, 'the ledger is append-only: a delivery is never deleted'); end;
create trigger deliveries_stay before update on deliveries
begin select raise(abort, 'the ledger is append-only: a delivery is never changed'); end;

-- One row per event × release that it speaks of.
create view release_events as
select e.event_id, e.at, e.kind, e.moment_id, e.detail, r.value as release_id
from events as e, json_each(e.release_ids) as r
where e.release_ids is not null;

-- One row per release: the newest event of each sort that matters. With max(), SQLite takes the other columns from that row.
create view release_states as
with
state as (
    select release_id, max(event_id), kind as state, at as changed_at, detail
    from release_events
    where kind in ('drafted', 'sealed', 'staged', 'armed', 'released', 'confirmed', 'held', 'withdrawn')
    group by release_id
),
plan as (
    select release_id, max(event_id), moment_id from release_events where kind = 'planned' group by release_id
),
opening as (
    select release_id, max(event_id), at as released_at, moment_id from release_events where kind = 'released' group by release_id
),
confirmation as (
    select release_id, max(event_id), json_extract(detail, '$.skew_ms') as skew_ms
    from release_events
    where kind = 'confirmed'
    group by release_id
)
select
    r.*,
    coalesce(s.state, 'drafted') as state,
    coalesce(s.changed_at, r.sealed_at) as changed_at,
    json_extract(s.detail, '$.reason') as stated_reason,
    coalesce(o.moment_id, p.moment_id) as moment_id,
    m.planned_at,
    o.released_at,
    c.skew_ms
from releases as r
left join state as s using (release_id)
left join plan as p using (release_id)
left join opening as o using (release_id)
left join confirmation as c using (release_id)
left join moments as m on m.moment_id = coalesce(o.moment_id, p.moment_id);

-- One row per moment with the phase it is in; open until it begins to arm, open again where arming was undone.
create view moment_phases as
with phase as (
    select moment_id, max(event_id), kind as phase
    from events
    where moment_id is not null and kind in ('arming', 'armed', 'released', 'confirmed', 'held', 'staged')
    group by moment_id
)
select m.*, case coalesce(p.phase, 'staged') when 'staged' then 'open' else p.phase end as phase
from moments as m
left join phase as p using (moment_id);

-- One row per delivery that is meant to happen or has happened, with what came of it.
create view delivery_states as
with
outcome as (
    select delivery_id, max(event_id), nullif(kind, 'included') as status, at as answered_at, json_extract(detail, '$.detail') as said,
        json_extract(detail, '$.attempts') as attempts
    from events
    where delivery_id is not null and kind in ('delivered', 'failed', 'unknown', 'left_out', 'included')
    group by delivery_id
),
opening as (
    select delivery_id, max(event_id), at as opened_at from events where delivery_id is not null and kind = 'opened' group by delivery_id
),
plan as (
    select delivery_id, max(event_id), kind from events
    where delivery_id is not null and kind in ('wanted', 'unwanted')
    group by delivery_id
),
breach as (
    select distinct delivery_id from events where delivery_id is not null and kind = 'breach'
)
select
    d.*,
    o.status,
    s.opened_at,
    o.answered_at,
    coalesce(o.said, '') as detail,
    b.delivery_id is not null as is_breach,
    coalesce(o.attempts, 0) as attempts
from deliveries as d
left join plan as p using (delivery_id)
left join outcome as o using (delivery_id)
left join opening as s using (delivery_id)
left join breach as b using (delivery_id)
where coalesce(p.kind, 'wanted') = 'wanted';
