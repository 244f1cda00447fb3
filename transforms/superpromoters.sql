-- Superpromoters: one row per published department; who tells whom, what comes of it, and how sure that is.
-- Reads `tallies` of one survey and wave, and `pattern`. The measure is ours, after Vogelaar's idea: promoter rate × share
-- who told × share with effect, each over those whose answer is known; antipromoters mirror it. Its variance is by
-- linearisation, carried into Wilson's interval by the number of trials that has it. The net rate's interval is MOVER's
-- (Zou, Donner 2008). Reach is a mean and conversion a ratio estimate over the same respondents (Cochran 1977, 6.3): people
-- of one respondent hang together. Recommendation value: promoters × share who told × people who acted per promoter who
-- told and said so × $margin; on complete answers that is every customer brought in, times the margin. Where few told, or
-- had effect, these three are taken out again later, as `transforms/few.py` says.
with shown as (
    select tallies.*, responses::double as n, 1.959963984540054::double as z
    from tallies
    join pattern using (department_id)
    where pattern.status = 'published'
),

-- Two rows per department: promoters who told, and detractors who warned.
ladders as (
    select
        department_id, z, n, 'super' as name, promoters as members,
        told_known as spoke_known, told as spoke, influence_known as effect_known, superpromoters as had_effect
    from shown
    union all
    select
        department_id, z, n, 'anti' as name, detractors as members,
        warned_known as spoke_known, warned as spoke, warned_influence_known as effect_known, antipromoters as had_effect
    from shown
),

rates as (
    select
        *,
        max(spoke_known) over everyone > 0 as speaking_is_asked,
        speaking_is_asked and (max(effect_known) over everyone > 0 or max(spoke) over everyone = 0) as is_asked,
        case
            when not is_asked or n = 0 then null
            when members = 0 or (spoke = 0 and spoke_known > 0) then 0
            else members / n * (spoke / nullif(spoke_known, 0)::double) * (had_effect / nullif(effect_known, 0)::double)
        end as rate,
        -- as many of n as answered all that was needed
        case
            when rate is null then null
            when members = 0 then n
            when spoke = 0 then n * spoke_known / members
            else n * spoke_known / members * effect_known / spoke
        end as complete,
        -- rate × (1 − rate) over its variance; on complete answers it is n
        case
            when rate is null then null
            when rate = 0 or (members = n and spoke = spoke_known and had_effect = effect_known) then complete
            else (1 - rate) / rate
                / (1 / members - 1 / n + 1 / spoke - 1 / spoke_known + 1 / had_effect - 1 / effect_known)
        end as trials
    from ladders
    window everyone as (partition by name)
),

-- Two ratios per department: people told per promoter who said so, and people who acted per person told.
extents as (
    select
        department_id, z, 'reach' as name, told_known as clusters, people_told::double as total, told_known::double as base,
        people_told_squares::double as total_squares, told_known::double as base_squares, people_told::double as products
    from shown
    union all
    select
        department_id, z, 'conversion' as name, paired as clusters, paired_acted::double as total, paired_told::double as base,
        paired_acted_squares::double as total_squares, paired_told_squares::double as base_squares,
        paired_products::double as products
    from shown
),

ratios as (
    select
        *,
        total / nullif(base, 0) as ratio,
        greatest(total_squares - 2 * ratio * products + ratio * ratio * base_squares, 0) * clusters
            / nullif(clusters - 1, 0) / (base * base) as variance,
        -- Student's t at 97.5 % by its expansion (Abramowitz, Stegun 1964, 26.7.5); within .0001 from 9 degrees on
        nullif(clusters - 1, 0)::double as degrees,
        z + (z ** 3 + z) / (4 * degrees) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * degrees ** 2)
            + (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * degrees ** 3)
            + (79 * z ** 9 + 776 * z ** 7 + 1482 * z ** 5 - 1920 * z ** 3 - 945 * z) / (92160 * degrees ** 4) as t
    from extents
    where clusters >= $min_respondents
),

-- A rate stands on its trials, as a weighted figure on n_eff: under the minimum both are too imprecise to show. So it is
-- where fewer answered it all: of one answer to the last question, with effect, the variance says that it is certain.
shares as (
    select department_id, name, z, rate as share, trials
    from rates
    where round(least(trials, complete), 6) >= $min_respondents
    union all
    select department_id, 'sharing' as name, z, spoke / spoke_known, spoke_known
    from rates
    where name = 'super' and spoke_known >= $min_respondents
    union all
    select department_id, 'influence' as name, z, had_effect / effect_known, effect_known
    from rates
    where name = 'super' and effect_known >= $min_respondents
    union all
    -- Never more trials than people told; where none of them acted, or all, each respondent is one.
    select
        department_id, name, z, ratio,
        if(ratio in (0, 1), clusters, least(base, coalesce(ratio * (1 - ratio) / nullif(variance, 0) * (z / t) ** 2, base)))
    from ratios
    where name = 'conversion'
),

wilson as (
    select
        department_id,
        name,
        share,
        share * (1 - share) / trials as variance,
        (share + z * z / (2 * trials)) / (1 + z * z / trials) as middle,
        z * sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials)) / (1 + z * z / trials) as margin,
        greatest(middle - margin, 0) as low,
        least(middle + margin, 1) as high
    from shares
),

-- One row per department again.
rated as (
    select
        department_id,
        max(share) filter (name = 'super') as superpromoter_rate,
        max(low) filter (name = 'super') as superpromoter_rate_low,
        max(high) filter (name = 'super') as superpromoter_rate_high,
        max(share) filter (name = 'sharing') as sharing_rate,
        max(low) filter (name = 'sharing') as sharing_rate_low,
        max(high) filter (name = 'sharing') as sharing_rate_high,
        max(share) filter (name = 'influence') as influence_rate,
        max(low) filter (name = 'influence') as influence_rate_low,
        max(high) filter (name = 'influence') as influence_rate_high,
        max(share) filter (name = 'anti') as antipromoter_rate,
        max(low) filter (name = 'anti') as antipromoter_rate_low,
        max(high) filter (name = 'anti') as antipromoter_rate_high,
        max(share) filter (name = 'conversion') as conversion,
        max(low) filter (name = 'conversion') as conversion_low,
        max(high) filter (name = 'conversion') as conversion_high,
        max(variance) filter (name = 'super') as super_variance,
        max(variance) filter (name = 'anti') as anti_variance
    from wilson
    group by department_id
),

net as (
    select
        rated.*,
        superpromoter_rate - antipromoter_rate as net,
        case
            when superpromoter_rate * antipromoter_rate > 0
                then -superpromoter_rate * antipromoter_rate / shown.n / sqrt(super_variance * anti_variance)
            else 0
        end as correlation,
        superpromoter_rate - superpromoter_rate_low as super_below,
        superpromoter_rate_high - superpromoter_rate as super_above,
        antipromoter_rate - antipromoter_rate_low as anti_below,
        antipromoter_rate_high - antipromoter_rate as anti_above,
        sqrt(super_below ** 2 + anti_above ** 2 - 2 * correlation * super_below * anti_above) as below,
        sqrt(super_above ** 2 + anti_below ** 2 - 2 * correlation * super_above * anti_below) as above
    from rated
    join shown using (department_id)
)

select
    shown.department_id,
    case when supers.is_asked then shown.superpromoters end as superpromoters,
    case when supers.is_asked then shown.influence_known - shown.superpromoters end as sharers,
    case when supers.is_asked then shown.told_known - shown.told end as silent_promoters,
    case when supers.is_asked then promoters - shown.told_known + shown.told - shown.influence_known end as unknown_promoters,
    case when supers.speaking_is_asked then shown.told_known end as told_known,
    case when supers.speaking_is_asked then shown.told end as told,
    case when supers.is_asked then shown.influence_known end as influence_known,
    superpromoter_rate,
    superpromoter_rate_low,
    superpromoter_rate_high,
    sharing_rate,
    sharing_rate_low,
    sharing_rate_high,
    influence_rate,
    influence_rate_low,
    influence_rate_high,
    case when antis.is_asked then shown.antipromoters end as antipromoters,
    antipromoter_rate,
    antipromoter_rate_low,
    antipromoter_rate_high,
    net as net_superpromoter,
    case when net is not null then greatest(net - below, -1) end as net_superpromoter_low,
    case when net is not null then least(net + above, 1) end as net_superpromoter_high,
    reach.ratio as reach,
    -- where all said the same, nothing can be said of the spread
    case when reach.variance > 0 then greatest(reach.ratio - reach.t * sqrt(reach.variance), 0) end as reach_low,
    case when reach.variance > 0 then reach.ratio + reach.t * sqrt(reach.variance) end as reach_high,
    conversion,
    conversion_low,
    conversion_high,
    case
        when shown.told_known < $min_respondents then null
        when shown.told = 0 then 0
        when shown.paired >= $min_respondents
            then promoters * (shown.told / shown.told_known) * (shown.paired_acted / shown.paired)
    end * $margin::double as recommendation_value,
    if(recommendation_value is not null, $currency::varchar, null) as recommendation_currency
from shown
join rates as supers on supers.department_id = shown.department_id and supers.name = 'super'
join rates as antis on antis.department_id = shown.department_id and antis.name = 'anti'
left join ratios as reach on reach.department_id = shown.department_id and reach.name = 'reach'
left join net on net.department_id = shown.department_id
