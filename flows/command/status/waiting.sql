-- Waiting: one row per survey × wave with answers that came, or changed, since its newest release counted them.
with counted as (
    select r.survey, r.wave, r.response_key
    from core.counted as c
    join core.responses as r using (batch, record_number)
    where list_contains($releases, c.release_id)
    union all
    select r.survey, r.wave, r.response_key
    from core.inputs as i
    join core.responses as r using (batch)
    where list_contains($releases, i.release_id) and i.release_id not in (select release_id from core.counted)
)
select r.survey, r.wave, count(*) as answers
from core.responses as r
where
    list_contains($batches, r.batch)
    and (r.survey, r.wave) in (select (survey, wave) from counted)
    and (r.survey, r.wave, r.response_key) not in (select (survey, wave, response_key) from counted)
group by r.survey, r.wave
order by r.survey, r.wave
