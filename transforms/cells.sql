-- Cells: one row per department that answers hang on directly; the one heavy pass over a wave's responses.
-- Reads `counted`, the responses of one survey and wave with core.responses' columns.
-- A missing answer is never a no: told, copied and acted are true, false or unknown (NULL), and so is what follows.
with answers as (
    select
        department_key,
        case when score >= 9 then 'promoter' when score >= 7 then 'passive' when score >= 0 then 'detractor' end as class,
        weight,
        is_contradictory,
        -- promoters tell and detractors warn: one ladder, mirrored
        case class
            when 'promoter' then told_count >= $told_min
            when 'detractor' then warned_count >= $told_min
        end as spoke,
        case
            when not spoke then null
            when class = 'detractor' then warned_acted_count >= 1
            when $acted_is_asked and $copied_is_asked then acted_count >= 1 or is_copied
            when $acted_is_asked then acted_count >= 1
            when $copied_is_asked then is_copied
        end as had_effect
    from counted
),

by_class as (
    select
        department_key,
        class,
        count(*) as answered,
        sum(weight) as weight_sum,
        sum(weight * weight) as weight_square_sum,
        count(spoke) as spoke_known,
        count_if(spoke) as spoke,
        count_if(spoke and had_effect is not null) as effect_known,
        count_if(spoke and had_effect) as had_effect,
        count_if(is_contradictory) as contradictory
    from answers
    group by all
),

-- Of promoters who told anyone, how many people that were, of bands at least; and, of those who told enough and said
-- what came of it, how many acted beside how many were told, who are no fewer than those who acted.
extents as (
    select
        department_key,
        'promoter' as class,
        count(*) as tellers,
        sum(told_count) as people_told,
        sum(told_count::bigint * told_count) as people_told_squares,
        count(acted_count) filter (told_count >= $told_min) as paired,
        count(*) filter (told_count >= $told_min and acted_count > 0) as paired_with_effect,
        sum(greatest(told_count, acted_count)) filter (told_count >= $told_min and acted_count is not null) as paired_told,
        sum(acted_count) filter (told_count >= $told_min) as paired_acted,
        sum(greatest(told_count, acted_count)::bigint * greatest(told_count, acted_count))
            filter (told_count >= $told_min and acted_count is not null) as paired_told_squares,
        sum(acted_count::bigint * acted_count) filter (told_count >= $told_min) as paired_acted_squares,
        sum(greatest(told_count, acted_count)::bigint * acted_count) filter (told_count >= $told_min) as paired_products
    from counted
    where score >= 9 and told_count > 0
    group by all
),

-- Hashes that occur twice hold every respondent who does; nearly always there are none, and nothing is sorted.
repeated as (
    select hash(respondent_key) as key_hash
    from counted
    where respondent_key is not null and score is not null
    group by all
    having count(*) > 1
),

by_recency as (
    select
        department_key,
        case when score >= 9 then 'promoter' when score >= 7 then 'passive' else 'detractor' end as class,
        row_number() over (
            partition by respondent_key
            order by responded_at desc nulls last, batch desc, record_number desc
        ) as recency
    from counted
    where respondent_key is not null and score is not null and hash(respondent_key) in (select key_hash from repeated)
),

superseded as (
    select department_key, class, count(*) as answered
    from by_recency
    where recency > 1
    group by all
),

counts as (
    select
        by_class.*,
        by_class.answered - coalesce(superseded.answered, 0) as respondents,
        extents.* exclude (department_key, class)
    from by_class
    left join superseded using (department_key, class)
    left join extents using (department_key, class)
)

select
    department_key,
    coalesce(sum(answered) filter (class is not null), 0) as responses,
    coalesce(sum(answered) filter (class is null), 0) as missing_scores,
    coalesce(sum(answered) filter (class = 'promoter'), 0) as promoters,
    coalesce(sum(answered) filter (class = 'passive'), 0) as passives,
    coalesce(sum(answered) filter (class = 'detractor'), 0) as detractors,
    sum(weight_sum) filter (class is not null) as weight_sum,
    sum(weight_square_sum) filter (class is not null) as weight_square_sum,
    sum(weight_sum) filter (class = 'promoter') as weighted_promoters,
    sum(weight_sum) filter (class = 'passive') as weighted_passives,
    sum(weight_sum) filter (class = 'detractor') as weighted_detractors,
    coalesce(sum(spoke_known) filter (class = 'promoter'), 0) as told_known,
    coalesce(sum(spoke) filter (class = 'promoter'), 0) as told,
    coalesce(sum(effect_known) filter (class = 'promoter'), 0) as influence_known,
    coalesce(sum(had_effect) filter (class = 'promoter'), 0) as superpromoters,
    coalesce(sum(spoke_known) filter (class = 'detractor'), 0) as warned_known,
    coalesce(sum(spoke) filter (class = 'detractor'), 0) as warned,
    coalesce(sum(effect_known) filter (class = 'detractor'), 0) as warned_influence_known,
    coalesce(sum(had_effect) filter (class = 'detractor'), 0) as antipromoters,
    sum(contradictory) as contradictory,
    coalesce(sum(respondents) filter (class = 'promoter'), 0) as respondent_promoters,
    coalesce(sum(respondents) filter (class = 'passive'), 0) as respondent_passives,
    coalesce(sum(respondents) filter (class = 'detractor'), 0) as respondent_detractors,
    coalesce(sum(tellers), 0) as tellers,
    coalesce(sum(people_told), 0) as people_told,
    coalesce(sum(people_told_squares), 0) as people_told_squares,
    coalesce(sum(paired), 0) as paired,
    coalesce(sum(paired_with_effect), 0) as paired_with_effect,
    coalesce(sum(paired_told), 0) as paired_told,
    coalesce(sum(paired_acted), 0) as paired_acted,
    coalesce(sum(paired_told_squares), 0) as paired_told_squares,
    coalesce(sum(paired_acted_squares), 0) as paired_acted_squares,
    coalesce(sum(paired_products), 0) as paired_products
from counts
group by department_key
