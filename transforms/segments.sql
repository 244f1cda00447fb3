-- Segments: one row per department that answers hang on × combination of values, with its scored answers by class.
-- Reads {answers}, with core.responses' columns; {labels} is made from the configured segments, and NULL where an answer
-- does not say. Respondents count once, with the newest answer of all that are read.
with scored as (
    select
        department_key,
        {labels}
        case when score >= 9 then 'promoter' when score >= 7 then 'passive' else 'detractor' end as class,
        respondent_key,
        responded_at,
        batch,
        record_number
    from {answers}
    where score is not null
),

-- Hashes that occur twice hold every respondent who does; nearly always there are none, and nothing is sorted.
repeated as (
    select hash(respondent_key) as key_hash
    from scored
    where respondent_key is not null
    group by all
    having count(*) > 1
),

superseded as (
    select batch, record_number, true as is_superseded
    from scored
    where respondent_key is not null and hash(respondent_key) in (select key_hash from repeated)
    qualify row_number() over (
        partition by respondent_key
        order by responded_at desc nulls last, batch desc, record_number desc
    ) > 1
)

select
    department_key,
    {names}
    count_if(class = 'promoter') as promoters,
    count_if(class = 'passive') as passives,
    count_if(class = 'detractor') as detractors,
    count_if(class = 'promoter' and is_superseded is null) as respondent_promoters,
    count_if(class = 'passive' and is_superseded is null) as respondent_passives,
    count_if(class = 'detractor' and is_superseded is null) as respondent_detractors
from scored
left join superseded using (batch, record_number)
group by all
order by all
