-- Weight cells: one row per combination of the margins' categories and design weight: all that weights depend on.
-- Reads `counted`, the answers with a score; {labels} is made from the configured margins, and NULL where an answer does
-- not say. Where no weights are mapped, every answer starts with 1; an answer without its mapped weight keeps none.
select
    {labels},
    if($has_design, weight, 1::decimal(18, 10)) as design_weight,
    count(*) as answers
from counted
where score is not null and (not $has_design or weight is not null)
group by all
order by all
