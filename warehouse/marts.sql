-- What BI tools read: one table per noun, released results and nothing else, made anew for each publication. The line
-- above a table becomes its COMMENT, and so does what stands behind a column. They are made from `editions` (one row per
-- release), `register` (one per delivery), and one `sealed_…` per table of the sealed releases, all temporary.
create schema mart;

-- One row per release × department; where status is suppressed, every figure is NULL.
create table mart.promoter_metrics (
    release_id varchar not null, -- The release; the first 16 hex digits of the hash of its content.
    revision integer not null, -- Revision of the wave, from 1.
    is_latest boolean not null, -- Whether this is the newest released revision of the wave.
    survey varchar not null, -- Survey, as the configuration names it.
    wave varchar not null, -- Reporting period, or the label that the data carry.
    department_id varchar not null, -- Department; all is the organisation itself.
    department varchar not null, -- Name of the department, in the organisation's first language.
    parent_id varchar, -- The department above it; NULL for the organisation.
    level integer not null, -- Depth in the tree; 0 is the organisation.
    status varchar not null, -- published, or suppressed to protect small groups.
    responses bigint, -- Responses with a valid score.
    missing_scores bigint, -- Accepted responses without a score; NULL where few, of a department where nobody gave one.
    promoters bigint, -- Responses with a score of 9 or 10.
    passives bigint, -- Responses with a score of 7 or 8.
    detractors bigint, -- Responses with a score of 0 to 6.
    nps double, -- Share of promoters less share of detractors, unweighted, in points, −100 to 100.
    nps_low double, -- Lower end of the 95 % interval of nps, by the method that mart.releases.nps_interval names, in points.
    nps_high double, -- Upper end of the 95 % interval of nps, in points.
    nps_weighted double, -- nps with survey weights, in points; NULL where the survey has none.
    nps_weighted_low double, -- Lower end of the 95 % interval of nps_weighted, in points: always adjusted Wald.
    nps_weighted_high double, -- Upper end of the 95 % interval of nps_weighted, in points.
    nps_weighted_se double, -- Standard error of nps_weighted over strata and clusters, in points; NULL where neither is known.
    effective_responses double, -- Responses that the weights leave, after Kish, or strata and clusters where they are known.
    design_effect double, -- responses over effective_responses: how many times as many answers the weights ask for.
    superpromoters bigint, -- Promoters who told others, with effect (the definition is Zwerm's own).
    sharers bigint, -- Promoters who told others, without effect.
    silent_promoters bigint, -- Promoters who told nobody, or fewer than told_min.
    unknown_promoters bigint, -- Promoters who left out an answer that would tell which of these they are.
    told_known bigint, -- Promoters who said whether they told others.
    told bigint, -- Of those, who told at least told_min others.
    influence_known bigint, -- Of those, who said what came of it.
    superpromoter_rate double, -- Promoter rate × sharing_rate × influence_rate, 0 to 1.
    superpromoter_rate_low double, -- Lower end of the 95 % interval of superpromoter_rate.
    superpromoter_rate_high double, -- Upper end of the 95 % interval of superpromoter_rate.
    sharing_rate double, -- Of promoters who said whether they told others, the share who did, 0 to 1.
    sharing_rate_low double, -- Lower end of the 95 % interval of sharing_rate (Wilson).
    sharing_rate_high double, -- Upper end of the 95 % interval of sharing_rate.
    influence_rate double, -- Of promoters who told others and said what came of it, the share with effect, 0 to 1.
    influence_rate_low double, -- Lower end of the 95 % interval of influence_rate (Wilson).
    influence_rate_high double, -- Upper end of the 95 % interval of influence_rate.
    antipromoters bigint, -- Detractors who warned others, with effect.
    antipromoter_rate double, -- Detractor rate × share who warned others × share with effect, 0 to 1.
    antipromoter_rate_low double, -- Lower end of the 95 % interval of antipromoter_rate.
    antipromoter_rate_high double, -- Upper end of the 95 % interval of antipromoter_rate.
    net_superpromoter double, -- superpromoter_rate less antipromoter_rate, −1 to 1.
    net_superpromoter_low double, -- Lower end of the 95 % interval of net_superpromoter (MOVER).
    net_superpromoter_high double, -- Upper end of the 95 % interval of net_superpromoter.
    reach double, -- People told per promoter who said how many, at least (of a band the lower end); NULL where few told; a revision carries it.
    reach_low double, -- Lower end of the 95 % interval of reach; NULL where all said the same.
    reach_high double, -- Upper end of the 95 % interval of reach.
    conversion double, -- Of the people told by promoters who told and said what came of it, the share who acted, 0 to 1; NULL where few did; a revision carries it.
    conversion_low double, -- Lower end of the 95 % interval of conversion.
    conversion_high double, -- Upper end of the 95 % interval of conversion.
    recommendation_value double, -- Customers brought in by the promoters among the answers × margin, in two digits; NULL without a margin, or as conversion.
    recommendation_currency varchar, -- What recommendation_value is in, after ISO 4217.
    previous_wave varchar, -- The wave that changes are measured against.
    previous_release_id varchar, -- The release that changes are measured against.
    nps_change double, -- nps less that of the previous wave, in points; NULL unless both waves publish the department.
    nps_change_low double, -- Lower end of the 95 % interval of nps_change, in points.
    nps_change_high double, -- Upper end of the 95 % interval of nps_change, in points.
    change_p_value double, -- Two-sided p of the change, after Benjamini and Hochberg over the published departments.
    is_change_significant boolean -- Whether change_p_value is below .05.
);
insert into mart.promoter_metrics by name
select e.release_id, e.revision, e.is_latest, s.* exclude (filename, file_row_number)
from sealed_promoter_metrics as s
join editions as e on s.filename = e.folder || '/tables/promoter_metrics.parquet'
order by e.position, s.file_row_number;

-- One row per release.
create table mart.releases (
    release_id varchar not null, -- The release; the first 16 hex digits of the hash of its content.
    survey varchar not null, -- Survey, as the configuration names it.
    wave varchar not null, -- Reporting period, or the label that the data carry.
    revision integer not null, -- Revision of the wave, from 1.
    reason varchar, -- Why the revision was made; NULL for a wave's first release.
    released_at timestamp, -- When the release was decided, UTC; NULL until it is confirmed.
    planned_at timestamp, -- The moment that was announced, UTC; NULL where it opened as soon as it was ready.
    skew_ms double, -- Milliseconds between the first and the last opening of the moment; NULL until it is confirmed.
    departments integer not null, -- Departments below the organisation, suppressed ones included.
    recipients integer not null, -- Recipients to whom it was delivered, besides everyone who reads what is published.
    nps_interval varchar not null, -- How nps_low and nps_high were computed: adjusted_wald, score or wald.
    definition varchar, -- Version of the definition of superpromoter that it was made with, which is Zwerm's own.
    told_min integer, -- People whom a promoter told, at least, to be a superpromoter; NULL where its seal does not say.
    min_respondents integer, -- No figure in it is of fewer respondents than this.
    invited bigint, -- People who were invited to the whole survey in this wave; NULL where it is not known.
    response_rate double, -- Answers of the whole, with a score or without, over invited, 0 to 1; NULL where not known, or above 1.
    content_sha256 varchar not null -- SHA-256 of release.json, the same for every recipient.
);
insert into mart.releases by name
select e.* exclude (folder, position, is_latest), count(distinct d.recipient) as recipients
from editions as e
left join register as d on d.release_id = e.release_id and d.channel <> 'published'
group by all
order by any_value(e.position);

-- One row per release × department of its tree, in the order of the tree.
create table mart.departments (
    release_id varchar not null, -- The release; the first 16 hex digits of the hash of its content.
    revision integer not null, -- Revision of the wave, from 1.
    is_latest boolean not null, -- Whether this is the newest released revision of the wave.
    survey varchar not null, -- Survey, as the configuration names it.
    wave varchar not null, -- Reporting period, or the label that the data carry.
    department_id varchar not null, -- Department; all is the organisation itself.
    department varchar not null, -- Name of the department, in the organisation's first language.
    parent_id varchar, -- The department above it; NULL for the organisation.
    level integer not null, -- Depth in the tree; 0 is the organisation.
    position integer not null, -- Place in the order of the tree.
    path varchar not null, -- Names from the top down, joined with ' > '; empty for the organisation.
    valid_from varchar, -- The first wave that it is a department of; NULL: since ever.
    valid_until varchar -- The last wave that it is a department of; NULL: until further notice.
);
insert into mart.departments by name
select e.release_id, e.revision, e.is_latest, s.* exclude (filename, file_row_number)
    replace (array_to_string(s.path, ' > ') as path)
from sealed_departments as s
join editions as e on s.filename = e.folder || '/tables/departments.parquet'
order by e.position, s.file_row_number;

-- One row per release × department whose NPS changed beyond chance.
create table mart.highlights (
    release_id varchar not null, -- The release; the first 16 hex digits of the hash of its content.
    revision integer not null, -- Revision of the wave, from 1.
    is_latest boolean not null, -- Whether this is the newest released revision of the wave.
    survey varchar not null, -- Survey, as the configuration names it.
    wave varchar not null, -- Reporting period, or the label that the data carry.
    kind varchar not null, -- rose or fell.
    department_id varchar not null, -- Department; all is the organisation itself.
    department varchar not null, -- Name of the department, in the organisation's first language.
    nps double, -- In points, −100 to 100.
    nps_change double, -- nps less that of the previous wave, in points.
    nps_change_low double, -- Lower end of the 95 % interval of nps_change, in points.
    nps_change_high double, -- Upper end of the 95 % interval of nps_change, in points.
    change_p_value double -- Two-sided p of the change, after Benjamini and Hochberg over the published departments.
);
insert into mart.highlights by name
select e.release_id, e.revision, e.is_latest, s.* exclude (filename, file_row_number)
from sealed_highlights as s
join editions as e on s.filename = e.folder || '/tables/highlights.parquet'
order by e.position, s.file_row_number;

-- One row per release × rule that its data were checked with.
create table mart.quality (
    release_id varchar not null, -- The release; the first 16 hex digits of the hash of its content.
    revision integer not null, -- Revision of the wave, from 1.
    is_latest boolean not null, -- Whether this is the newest released revision of the wave.
    survey varchar not null, -- Survey, as the configuration names it.
    wave varchar not null, -- Reporting period, or the label that the data carry.
    rule varchar not null, -- Name of the rule that was checked.
    kind varchar not null, -- contract (what came in), rows, or batch (against earlier waves).
    says varchar not null, -- What the check asserts.
    severity varchar not null, -- critical or warning.
    outcome varchar not null, -- passed or failed.
    failed_count bigint, -- What failed, over the whole survey and wave; NULL where it is no count or would tell of a few.
    base_count bigint -- Of how many; NULL where it is no count, or would tell a count that is NULL.
);
insert into mart.quality by name
select e.release_id, e.revision, e.is_latest, s.* exclude (filename, file_row_number)
from sealed_quality as s
join editions as e on s.filename = e.folder || '/tables/quality.parquet'
order by e.position, s.file_row_number;

-- One row per release × published department below the organisation: against everyone else, and in the funnel of all.
create table mart.comparisons (
    release_id varchar not null, -- The release; the first 16 hex digits of the hash of its content.
    revision integer not null, -- Revision of the wave, from 1.
    is_latest boolean not null, -- Whether this is the newest released revision of the wave.
    survey varchar not null, -- Survey, as the configuration names it.
    wave varchar not null, -- Reporting period, or the label that the data carry.
    department_id varchar not null, -- Department; all is the organisation itself.
    department varchar not null, -- Name of the department, in the organisation's first language.
    nps double, -- In points, −100 to 100.
    nps_rest double, -- NPS of everyone outside the department, in points; NULL where those are too few.
    rest_difference double, -- nps less nps_rest, in points.
    rest_difference_low double, -- Lower end of the 95 % interval of rest_difference.
    rest_difference_high double, -- Upper end of the 95 % interval of rest_difference.
    rest_p_value double, -- Two-sided p of the difference, after Benjamini and Hochberg over the published departments.
    is_different_from_rest boolean, -- Whether rest_p_value is below .05.
    funnel_centre double, -- NPS of the lowest published departments together, in points; NULL for departments above those.
    funnel_answer_sd double, -- Standard deviation of one answer, in points: limits are centre ± z·√(sd²/responses + between²).
    funnel_between_sd double, -- How much departments differ beyond chance, as a standard deviation in points.
    funnel_low_95 double, -- Between these 95 of 100 departments of this size would lie if they differed as all do, in points.
    funnel_high_95 double, -- The upper end of it.
    funnel_low_998 double, -- The same for 998 of 1,000.
    funnel_high_998 double, -- The upper end of it.
    is_outside_95 boolean, -- Whether nps lies outside the 95 % limits.
    is_outside_998 boolean, -- Whether nps lies outside the 99.8 % limits.
    nps_shrunken double -- nps drawn towards the mean of all, the more the fewer answers there are, in points.
);
insert into mart.comparisons by name
select e.release_id, e.revision, e.is_latest, s.* exclude (filename, file_row_number)
from sealed_comparisons as s
join editions as e on s.filename = e.folder || '/tables/comparisons.parquet'
order by e.position, s.file_row_number;

-- One row per release × published department × earlier wave that it is held against.
create table mart.changes (
    release_id varchar not null, -- The release; the first 16 hex digits of the hash of its content.
    revision integer not null, -- Revision of the wave, from 1.
    is_latest boolean not null, -- Whether this is the newest released revision of the wave.
    survey varchar not null, -- Survey, as the configuration names it.
    wave varchar not null, -- Reporting period, or the label that the data carry.
    department_id varchar not null, -- Department; all is the organisation itself.
    department varchar not null, -- Name of the department, in the organisation's first language.
    basis varchar not null, -- previous, or year_before.
    compared_wave varchar not null, -- The wave that it is held against.
    compared_release_id varchar not null, -- The release of that wave.
    method varchar not null, -- independent, paired or overlapping: whether the same respondents answered both.
    nps_change double, -- nps less that of the other wave, in points.
    nps_change_low double, -- Lower end of the 95 % interval of nps_change.
    nps_change_high double, -- Upper end of the 95 % interval of nps_change.
    p_value double, -- Two-sided p of the change, after Benjamini and Hochberg over the published departments.
    is_significant boolean, -- Whether p_value is below .05.
    is_regrouped boolean -- Whether it is held against mart.regrouped: departments moved since that wave.
);
insert into mart.changes by name
select e.release_id, e.revision, e.is_latest, s.* exclude (filename, file_row_number)
from sealed_changes as s
join editions as e on s.filename = e.folder || '/tables/changes.parquet'
order by e.position, s.file_row_number;

-- One row per release × published department × wave, from its first published one to that of the release.
create table mart.trends (
    release_id varchar not null, -- The release; the first 16 hex digits of the hash of its content.
    revision integer not null, -- Revision of the wave, from 1.
    is_latest boolean not null, -- Whether this is the newest released revision of the wave.
    survey varchar not null, -- Survey, as the configuration names it.
    wave varchar not null, -- Reporting period, or the label that the data carry.
    department_id varchar not null, -- Department; all is the organisation itself.
    department varchar not null, -- Name of the department, in the organisation's first language.
    trend_wave varchar not null, -- The wave that the row tells of.
    position integer not null, -- Its place among the waves, from 1.
    nps double, -- In points; NULL where that wave did not publish the department.
    nps_low double, -- Lower end of the 95 % interval of nps.
    nps_high double, -- Upper end of the 95 % interval of nps.
    nps_smooth double, -- The smooth through all waves, in points.
    nps_smooth_low double, -- Lower end of its 95 % band.
    nps_smooth_high double, -- Upper end of its 95 % band.
    is_break boolean not null, -- Whether the survey's method changed with this wave: the smooth begins anew.
    break_reason_en varchar, -- What changed, in English.
    break_reason_nl varchar, -- The same in Dutch.
    is_regrouped boolean -- Whether the wave's figure is that of mart.regrouped: departments moved since.
);
insert into mart.trends by name
select e.release_id, e.revision, e.is_latest, s.* exclude (filename, file_row_number)
from sealed_trends as s
join editions as e on s.filename = e.folder || '/tables/trends.parquet'
order by e.position, s.file_row_number;

-- One row per release × department of its tree × earlier wave since which departments moved: that wave in today's tree.
create table mart.regrouped (
    release_id varchar not null, -- The release; the first 16 hex digits of the hash of its content.
    revision integer not null, -- Revision of the wave, from 1.
    is_latest boolean not null, -- Whether this is the newest released revision of the wave.
    survey varchar not null, -- Survey, as the configuration names it.
    wave varchar not null, -- Reporting period, or the label that the data carry: whose tree it is.
    department_id varchar not null, -- Department; all is the organisation itself.
    department varchar not null, -- Name of the department, in the organisation's first language.
    parent_id varchar, -- The department above it; NULL for the organisation.
    level integer not null, -- Depth in the tree; 0 is the organisation.
    compared_wave varchar not null, -- The earlier wave, whose answers these are; in its own tree: mart.promoter_metrics.
    compared_release_id varchar not null, -- The release of that wave that it was added up from.
    status varchar not null, -- published, or suppressed: also where it would divide what that release shows as one.
    responses bigint, -- Responses with a valid score, in that wave.
    promoters bigint, -- Responses with a score of 9 or 10.
    passives bigint, -- Responses with a score of 7 or 8.
    detractors bigint, -- Responses with a score of 0 to 6.
    nps double, -- Share of promoters less share of detractors, in points, −100 to 100.
    nps_low double, -- Lower end of the 95 % interval of nps (adjusted Wald), in points.
    nps_high double -- Upper end of the 95 % interval of nps, in points.
);
insert into mart.regrouped by name
select e.release_id, e.revision, e.is_latest, s.* exclude (filename, file_row_number)
from sealed_regrouped as s
join editions as e on s.filename = e.folder || '/tables/regrouped.parquet'
order by e.position, s.file_row_number;

-- One row per release × published department with enough ratings × driver: association, not cause. As a wave's first
-- release made them: a revision carries them unchanged.
create table mart.drivers (
    release_id varchar not null, -- The release; the first 16 hex digits of the hash of its content.
    revision integer not null, -- Revision of the wave, from 1.
    is_latest boolean not null, -- Whether this is the newest released revision of the wave.
    survey varchar not null, -- Survey, as the configuration names it.
    wave varchar not null, -- Reporting period, or the label that the data carry.
    department_id varchar not null, -- Department; all is the organisation itself.
    department varchar not null, -- Name of the department, in the organisation's first language.
    driver varchar not null, -- What was rated, as the configuration names it.
    label varchar, -- What readers call it, in the organisation's first language.
    kind varchar, -- strength (superpromoters value it), lever (it would move passives), both, or NULL.
    left_out varchar, -- Why it has no importance: constant (ratings do not vary), collinear (they follow from others'), or NULL.
    responses bigint not null, -- People who gave a score and every rating, each once.
    importance double, -- Johnson's relative weight of the ratings on the score, as a share of r_squared, 0 to 1.
    importance_low double, -- Lower end of its 95 % bootstrap interval.
    importance_high double, -- Upper end of its 95 % bootstrap interval.
    r_squared double not null, -- Share of the differences between scores that goes with the ratings, 0 to 1.
    rating_superpromoters double, -- Mean rating of superpromoters, rounded alike; NULL where they, or the other promoters, are under the minimum.
    rating_promoters double, -- Mean rating of promoters, rounded to about a fortieth of the scale; NULL under the minimum.
    rating_passives double -- Mean rating of passives, rounded to about a fortieth of the scale; NULL under the minimum.
);
insert into mart.drivers by name
select e.release_id, e.revision, e.is_latest, s.* exclude (filename, file_row_number)
from sealed_drivers as s
join editions as e on s.filename = e.folder || '/tables/drivers.parquet'
order by e.position, s.file_row_number;

-- One row per release × published department × language × word that sets a group's comments apart. As a wave's first
-- release made them: a revision carries those that may still be shown.
create table mart.themes (
    release_id varchar not null, -- The release; the first 16 hex digits of the hash of its content.
    revision integer not null, -- Revision of the wave, from 1.
    is_latest boolean not null, -- Whether this is the newest released revision of the wave.
    survey varchar not null, -- Survey, as the configuration names it.
    wave varchar not null, -- Reporting period, or the label that the data carry.
    department_id varchar not null, -- Department; all is the organisation itself.
    department varchar not null, -- Name of the department, in the organisation's first language.
    language varchar not null, -- Language of the comments.
    kind varchar not null, -- Whose word it is: promoters, passives, or detractors.
    theme varchar not null, -- A word, or two that stand together; personal data removed.
    position integer not null, -- Its place by z_score, from 1.
    respondents bigint not null, -- Different respondents of the group who used it; never under the minimum.
    log_odds double not null, -- Log-odds ratio against the other comments, with an informative Dirichlet prior (Monroe 2008).
    z_score double not null -- log_odds over its standard error.
);
insert into mart.themes by name
select e.release_id, e.revision, e.is_latest, s.* exclude (filename, file_row_number)
from sealed_themes as s
join editions as e on s.filename = e.folder || '/tables/themes.parquet'
order by e.position, s.file_row_number;

-- One row per release × published department × quote of a superpromoter, personal data removed. As a wave's first
-- release made them: a revision carries those that may still be shown.
create table mart.quotes (
    release_id varchar not null, -- The release; the first 16 hex digits of the hash of its content.
    revision integer not null, -- Revision of the wave, from 1.
    is_latest boolean not null, -- Whether this is the newest released revision of the wave.
    survey varchar not null, -- Survey, as the configuration names it.
    wave varchar not null, -- Reporting period, or the label that the data carry.
    department_id varchar not null, -- Department; all is the organisation itself.
    department varchar not null, -- Name of the department, in the organisation's first language.
    language varchar not null, -- Language of the quote.
    position integer not null, -- Its place, from 1; chosen by rule, never by score alone.
    quote varchar not null -- What was written, personal data removed.
);
insert into mart.quotes by name
select e.release_id, e.revision, e.is_latest, s.* exclude (filename, file_row_number)
from sealed_quotes as s
join editions as e on s.filename = e.folder || '/tables/quotes.parquet'
order by e.position, s.file_row_number;

-- One row per release × department × segment × value; as a wave's first release made them: a revision carries them unchanged.
create table mart.segments (
    release_id varchar not null, -- The release; the first 16 hex digits of the hash of its content.
    revision integer not null, -- Revision of the wave, from 1.
    is_latest boolean not null, -- Whether this is the newest released revision of the wave.
    survey varchar not null, -- Survey, as the configuration names it.
    wave varchar not null, -- Reporting period, or the label that the data carry.
    department_id varchar not null, -- Department; all is the organisation itself.
    department varchar not null, -- Name of the department, in the organisation's first language.
    segment varchar not null, -- Segment, as the configuration names it: another question, or what is known of the respondent.
    value varchar, -- What was answered; NULL for those of whom it is not known.
    status varchar not null, -- published, or suppressed to protect small groups, alone or by subtraction: every figure is NULL.
    responses bigint, -- Responses with a valid score.
    promoters bigint, -- Responses with a score of 9 or 10.
    passives bigint, -- Responses with a score of 7 or 8.
    detractors bigint, -- Responses with a score of 0 to 6.
    nps double, -- Share of promoters less share of detractors, unweighted, in points, −100 to 100.
    nps_low double, -- Lower end of the 95 % interval of nps, by the method of promoter_metrics, in points.
    nps_high double -- Upper end of the 95 % interval of nps, in points.
);
insert into mart.segments by name
select e.release_id, e.revision, e.is_latest, s.* exclude (filename, file_row_number)
from sealed_segments as s
join editions as e on s.filename = e.folder || '/tables/segments.parquet'
order by e.position, s.file_row_number;

-- One row per release × department × rolling window; as a wave's first release made them: a revision carries them unchanged.
create table mart.rolling (
    release_id varchar not null, -- The release; the first 16 hex digits of the hash of its content.
    revision integer not null, -- Revision of the wave, from 1.
    is_latest boolean not null, -- Whether this is the newest released revision of the wave.
    survey varchar not null, -- Survey, as the configuration names it.
    wave varchar not null, -- Reporting period, or the label that the data carry.
    department_id varchar not null, -- Department; all is the organisation itself.
    department varchar not null, -- Name of the department, in the organisation's first language.
    waves bigint not null, -- How many waves are pooled, the last of them this one.
    pooled_waves varchar[] not null, -- These waves, oldest first.
    pooled_release_ids varchar[] not null, -- The releases of the earlier of them: what was counted in these is pooled.
    status varchar not null, -- published, or suppressed to protect small groups, alone or by subtraction: every figure is NULL.
    responses bigint, -- Responses with a valid score.
    promoters bigint, -- Responses with a score of 9 or 10.
    passives bigint, -- Responses with a score of 7 or 8.
    detractors bigint, -- Responses with a score of 0 to 6.
    nps double, -- Share of promoters less share of detractors, unweighted, in points, −100 to 100.
    nps_low double, -- Lower end of the 95 % interval of nps, by the method of promoter_metrics, in points.
    nps_high double -- Upper end of the 95 % interval of nps, in points.
);
insert into mart.rolling by name
select e.release_id, e.revision, e.is_latest, s.* exclude (filename, file_row_number)
from sealed_rolling as s
join editions as e on s.filename = e.folder || '/tables/rolling.parquet'
order by e.position, s.file_row_number;

-- One row per release × recipient × channel: who received it, through which channel, when.
create table mart.deliveries (
    release_id varchar not null, -- The release; the first 16 hex digits of the hash of its content.
    revision integer not null, -- Revision of the wave, from 1.
    is_latest boolean not null, -- Whether this is the newest released revision of the wave.
    survey varchar not null, -- Survey, as the configuration names it.
    wave varchar not null, -- Reporting period, or the label that the data carry.
    recipient varchar not null, -- Department and a serial number, never an address.
    channel varchar not null, -- published, folder, webhook or email.
    language varchar not null, -- Language that the recipient is written to in.
    status varchar, -- delivered, failed, unknown or left_out; NULL until the release is confirmed.
    opened_at timestamp, -- When it was opened for the recipient, UTC.
    answered_at timestamp, -- When he, or his server, confirmed it, UTC.
    attempts integer not null, -- How often it was sent, every time under one key; 0 until the release is confirmed.
    is_breach boolean not null -- Whether it came late, or was not answered in time.
);
insert into mart.deliveries by name
select e.release_id, e.revision, e.is_latest, e.survey, e.wave, d.* exclude (release_id, position)
from register as d
join editions as e using (release_id)
order by e.position, d.position;
