-- Counted: one row per response that a release counts, with the weight of its cell in the place of its design weight.
-- Reads `as_answered`, which `counted` was, and `cell_weights`; an answer without a score has none.
with labelled as (
    select
        *,
        {labels},
        if($has_design, weight, 1::decimal(18, 10)) as design_weight
    from as_answered
)

select labelled.* exclude ({names}, design_weight) replace (cell_weights.weight as weight)
from labelled
left join cell_weights
    on labelled.score is not null and labelled.design_weight = cell_weights.design_weight and {is_same}
