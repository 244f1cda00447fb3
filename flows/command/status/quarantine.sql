-- Quarantine: one row per survey × rule, over the batches that stand; a record counts for each rule it broke.
select survey, rule, count(*) as records
from (select survey, unnest(rules) as rule from core.quarantine where list_contains($batches, batch))
group by survey, rule
order by survey, records desc, rule
