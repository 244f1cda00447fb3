-- Metrics: one row per survey × wave × department, in tree order; a suppressed department has NULL for every figure.
-- Reads `tallies` and `superpromoters` of one survey and wave, `departments` and `pattern`. Formulas: adjusted Wald (Rocks
-- 2016), or plain Wald where $interval says so, Kish's effective size. The score interval is computed over these rows,
-- and what strata and clusters say of weighted figures.
with shown as (
    select
        tallies.*,
        responses::double as n,
        weight_sum::double as weights,
        weights * weights / nullif(weight_square_sum::double, 0) as n_eff,
        1.959963984540054::double as z,
        if($interval = 'wald', 0, 0.75) as added
    from tallies
    join pattern using (department_id)
    where pattern.status = 'published'
),

-- Adjusted Wald adds ¾ of a promoter, 1½ passives and ¾ of a detractor; to the weighted shares always, as of n_eff answers.
intervals as (
    select
        department_id,
        (promoters + added) / nullif(n + 4 * added, 0) as p,
        (detractors + added) / nullif(n + 4 * added, 0) as d,
        z * sqrt(greatest(p + d - (p - d) * (p - d), 0) / (n + 4 * added)) as margin,
        (weighted_promoters::double / nullif(weights, 0) * n_eff + 0.75) / (n_eff + 3) as weighted_p,
        (weighted_detractors::double / nullif(weights, 0) * n_eff + 0.75) / (n_eff + 3) as weighted_d,
        z * sqrt((weighted_p + weighted_d - (weighted_p - weighted_d) * (weighted_p - weighted_d)) / (n_eff + 3)) as weighted_margin
    from shown
),

figures as (
    select
        shown.*,
        n >= $min_respondents as is_large,
        round(n_eff, 6) >= $min_respondents as is_large_weighted,
        case when is_large then (promoters - detractors) / n end as nps,
        case when is_large then greatest(p - d - intervals.margin, -1) end as nps_low,
        case when is_large then least(p - d + intervals.margin, 1) end as nps_high,
        case when is_large_weighted then (weighted_promoters - weighted_detractors)::double / weights end as nps_weighted,
        case when is_large_weighted then greatest(weighted_p - weighted_d - weighted_margin, -1) end as nps_weighted_low,
        case when is_large_weighted then least(weighted_p - weighted_d + weighted_margin, 1) end as nps_weighted_high
    from shown
    join intervals using (department_id)
),

-- Two digits of a value are all that is sure of it.
worths as (
    select
        department_id,
        10 ** (floor(log10(nullif(superpromoters.recommendation_value, 0))) - 1) as unit,
        coalesce(round(round(superpromoters.recommendation_value / unit) * unit, 2), superpromoters.recommendation_value)
            as recommendation_value
    from superpromoters
)

select
    tallies.survey,
    tallies.wave,
    departments.department_id,
    departments.name as department,
    departments.parent_id,
    departments.level,
    pattern.status,
    figures.responses,
    figures.missing_scores,
    figures.promoters,
    figures.passives,
    figures.detractors,
    round(100 * nps, 10) as nps,
    round(100 * nps_low, 10) as nps_low,
    round(100 * nps_high, 10) as nps_high,
    round(100 * nps_weighted, 10) as nps_weighted,
    round(100 * nps_weighted_low, 10) as nps_weighted_low,
    round(100 * nps_weighted_high, 10) as nps_weighted_high,
    null::double as nps_weighted_se,
    round(n_eff, 10) as effective_responses,
    round(n / n_eff, 10) as design_effect,
    superpromoters.superpromoters,
    superpromoters.sharers,
    superpromoters.silent_promoters,
    superpromoters.unknown_promoters,
    superpromoters.told_known,
    superpromoters.told,
    superpromoters.influence_known,
    round(superpromoter_rate, 10) as superpromoter_rate,
    round(superpromoter_rate_low, 10) as superpromoter_rate_low,
    round(superpromoter_rate_high, 10) as superpromoter_rate_high,
    round(sharing_rate, 10) as sharing_rate,
    round(sharing_rate_low, 10) as sharing_rate_low,
    round(sharing_rate_high, 10) as sharing_rate_high,
    round(influence_rate, 10) as influence_rate,
    round(influence_rate_low, 10) as influence_rate_low,
    round(influence_rate_high, 10) as influence_rate_high,
    superpromoters.antipromoters,
    round(antipromoter_rate, 10) as antipromoter_rate,
    round(antipromoter_rate_low, 10) as antipromoter_rate_low,
    round(antipromoter_rate_high, 10) as antipromoter_rate_high,
    round(net_superpromoter, 10) as net_superpromoter,
    round(net_superpromoter_low, 10) as net_superpromoter_low,
    round(net_superpromoter_high, 10) as net_superpromoter_high,
    -- no finer than they are known: how many people were told, or acted, in all must not be computed from them; the ends
    -- of intervals outwards, which hold no less often than they say
    round(reach, 1) as reach,
    floor(round(10 * reach_low, 8)) / 10 as reach_low,
    ceil(round(10 * reach_high, 8)) / 10 as reach_high,
    round(conversion, 2) as conversion,
    floor(round(100 * conversion_low, 8)) / 100 as conversion_low,
    ceil(round(100 * conversion_high, 8)) / 100 as conversion_high,
    worths.recommendation_value,
    superpromoters.recommendation_currency
from departments
join pattern using (department_id)
join tallies using (department_id)
left join figures using (department_id)
left join superpromoters using (department_id)
left join worths using (department_id)
order by departments.position
