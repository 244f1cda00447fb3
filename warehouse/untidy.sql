-- One row per delivery that is over, of which something else than the release may still lie at the recipient.
select
    d.*,
    o.kind as outcome,
    (select count(*) from events as t where t.delivery_id = d.delivery_id and t.kind = 'untidy') as tries
from deliveries as d
join release_states as r using (release_id)
left join events as o on o.event_id = (
    select max(event_id)
    from events
    where
        delivery_id = d.delivery_id
        and kind in ('delivered', 'failed', 'unknown', 'left_out', 'included', 'unwanted')
)
where
    d.channel in (select value from json_each(?))
    and (r.state = 'withdrawn' or (r.state = 'confirmed' and o.kind in ('delivered', 'left_out', 'unwanted')))
    and (o.kind is not 'delivered' or json_extract(o.detail, '$.leaves'))
    and not exists (select 1 from events as t where t.delivery_id = d.delivery_id and t.kind = 'tidied')
order by d.rowid
