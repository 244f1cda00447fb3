-- Metrics: one row per survey × wave × department, in tree order; a suppressed department has NULL for every figure.
-- Reads `tallies` of one survey and wave, `departments` and `pattern`. Formulas: adjusted Wald (Rocks 2016), Kish's
-- effective size, Wilson. The superpromoter rate is ours: promoter rate × share who told × share with effect, each over
-- those whose answer is known; its variance by linearisation, carried by the number of trials with the same variance.
with shown as (
    select
        tallies.*,
        responses::double as n,
        weight_sum::double as weights,
        weights * weights / nullif(weight_square_sum::double, 0) as n_eff,
        1.959963984540054::double as z
    from tallies
    join pattern using (department_id)
    where pattern.status = 'published'
),

-- Adjusted Wald adds ¾ of a promoter, 1½ passives and ¾ of a detractor; to the weighted shares, as of n_eff answers.
intervals as (
    select
        department_id,
        (promoters + 0.75) / (n + 3) as p,
        (detractors + 0.75) / (n + 3) as d,
        z * sqrt((p + d - (p - d) * (p - d)) / (n + 3)) as margin,
        (weighted_promoters::double / nullif(weights, 0) * n_eff + 0.75) / (n_eff + 3) as weighted_p,
        (weighted_detractors::double / nullif(weights, 0) * n_eff + 0.75) / (n_eff + 3) as weighted_d,
        z * sqrt((weighted_p + weighted_d - (weighted_p - weighted_d) * (weighted_p - weighted_d)) / (n_eff + 3)) as weighted_margin
    from shown
),

-- Two rows per department: promoters who told, and detractors who warned.
ladders as (
    select
        department_id, z, n, 'super' as side, promoters as members,
        told_known as spoke_known, told as spoke, influence_known as effect_known, superpromoters as had_effect
    from shown
    union all
    select
        department_id, z, n, 'anti' as side, detractors as members,
        warned_known as spoke_known, warned as spoke, warned_influence_known as effect_known, antipromoters as had_effect
    from shown
),

rates as (
    select
        *,
        max(spoke_known) over everyone > 0 and (max(effect_known) over everyone > 0 or max(spoke) over everyone = 0) as is_asked,
        case
            when not is_asked or n = 0 then null
            when members = 0 or (spoke = 0 and spoke_known > 0) then 0
            else members / n * (spoke / nullif(spoke_known, 0)::double) * (had_effect / nullif(effect_known, 0)::double)
        end as rate,
        -- rate × (1 − rate) over its variance; on complete answers it is n
        case
            when rate is null then null
            when members = 0 then n
            when spoke = 0 then n * spoke_known / members
            when had_effect = 0 or (members = n and spoke = spoke_known and had_effect = effect_known)
                then n * spoke_known / members * effect_known / spoke
            else (1 - rate) / rate
                / (1 / members - 1 / n + 1 / spoke - 1 / spoke_known + 1 / had_effect - 1 / effect_known)
        end as trials
    from ladders
    window everyone as (partition by side)
),

-- A rate stands on its trials, as a weighted figure on n_eff: under the minimum both are too imprecise to show.
wilson as (
    select
        department_id,
        side,
        is_asked,
        rate,
        (rate + z * z / (2 * trials)) / (1 + z * z / trials) as middle,
        z * sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials)) / (1 + z * z / trials) as margin,
        round(trials, 6) >= $min_respondents as is_precise
    from rates
),

figures as (
    select
        shown.* exclude (survey, wave, superpromoters),
        n >= $min_respondents as is_large,
        round(n_eff, 6) >= $min_respondents as is_large_weighted,
        case when is_large then (promoters - detractors) / n end as nps,
        case when is_large then greatest(p - d - intervals.margin, -1) end as nps_low,
        case when is_large then least(p - d + intervals.margin, 1) end as nps_high,
        case when is_large_weighted then (weighted_promoters - weighted_detractors)::double / weights end as nps_weighted,
        case when is_large_weighted then greatest(weighted_p - weighted_d - weighted_margin, -1) end as nps_weighted_low,
        case when is_large_weighted then least(weighted_p - weighted_d + weighted_margin, 1) end as nps_weighted_high,
        case when supers.is_asked then shown.superpromoters end as superpromoters,
        case when supers.is_precise then supers.rate end as superpromoter_rate,
        case when supers.is_precise then greatest(supers.middle - supers.margin, 0) end as superpromoter_rate_low,
        case when supers.is_precise then least(supers.middle + supers.margin, 1) end as superpromoter_rate_high,
        case when told_known >= $min_respondents then told / told_known end as sharing_rate,
        case when influence_known >= $min_respondents then shown.superpromoters / influence_known end as influence_rate,
        case when antis.is_precise then antis.rate end as antipromoter_rate
    from shown
    join intervals using (department_id)
    join wilson as supers on supers.department_id = shown.department_id and supers.side = 'super'
    join wilson as antis on antis.department_id = shown.department_id and antis.side = 'anti'
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
    round(n_eff, 10) as effective_responses,
    figures.superpromoters,
    round(superpromoter_rate, 10) as superpromoter_rate,
    round(superpromoter_rate_low, 10) as superpromoter_rate_low,
    round(superpromoter_rate_high, 10) as superpromoter_rate_high,
    round(sharing_rate, 10) as sharing_rate,
    round(influence_rate, 10) as influence_rate,
    round(antipromoter_rate, 10) as antipromoter_rate,
    round(superpromoter_rate - antipromoter_rate, 10) as net_superpromoter
from departments
join pattern using (department_id)
join tallies using (department_id)
left join figures using (department_id)
order by departments.position
