"""The tables of a sealed release, column by column: what `mart` shows of each, and `release.json` tells."""

import pyarrow as pa

TEXT, COUNT, NUMBER, FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()

FIGURES = pa.schema(
    [
        *((name, TEXT) for name in ("survey", "wave", "department_id", "department", "parent_id")),
        ("level", COUNT),
        ("status", TEXT),
        *((name, COUNT) for name in ("responses", "missing_scores", "promoters", "passives", "detractors")),
        *((name, NUMBER) for name in ("nps", "nps_low", "nps_high")),
        *((name, NUMBER) for name in ("nps_weighted", "nps_weighted_low", "nps_weighted_high", "effective_responses")),
        *((name, NUMBER) for name in ("nps_weighted_se", "design_effect")),
        *((name, COUNT) for name in ("superpromoters", "sharers", "silent_promoters", "unknown_promoters")),
        *((name, COUNT) for name in ("told_known", "told", "influence_known")),
        *((name, NUMBER) for name in ("superpromoter_rate", "superpromoter_rate_low", "superpromoter_rate_high")),
        *((name, NUMBER) for name in ("sharing_rate", "sharing_rate_low", "sharing_rate_high")),
        *((name, NUMBER) for name in ("influence_rate", "influence_rate_low", "influence_rate_high")),
        ("antipromoters", COUNT),
        *((name, NUMBER) for name in ("antipromoter_rate", "antipromoter_rate_low", "antipromoter_rate_high")),
        *((name, NUMBER) for name in ("net_superpromoter", "net_superpromoter_low", "net_superpromoter_high")),
        *((name, NUMBER) for name in ("reach", "reach_low", "reach_high")),
        *((name, NUMBER) for name in ("conversion", "conversion_low", "conversion_high")),
        ("recommendation_value", NUMBER),
        ("recommendation_currency", TEXT),
        ("previous_wave", TEXT),
        ("previous_release_id", TEXT),
        *((name, NUMBER) for name in ("nps_change", "nps_change_low", "nps_change_high", "change_p_value")),
        ("is_change_significant", FLAG),
    ]
)
TABLES = {
    "promoter_metrics": FIGURES,
    "departments": pa.schema(
        [
            *((name, TEXT) for name in ("survey", "wave", "department_id", "department", "parent_id")),
            ("level", COUNT),
            ("position", COUNT),
            ("path", pa.list_(TEXT)),
            *((name, TEXT) for name in ("valid_from", "valid_until")),
        ]
    ),
    "highlights": pa.schema(
        [
            *((name, TEXT) for name in ("survey", "wave", "kind", "department_id", "department")),
            *((name, NUMBER) for name in ("nps", "nps_change", "nps_change_low", "nps_change_high", "change_p_value")),
        ]
    ),
    "quality": pa.schema(
        [
            *((name, TEXT) for name in ("survey", "wave", "rule", "kind", "says", "severity", "outcome")),
            ("failed_count", COUNT),
            ("base_count", COUNT),
        ]
    ),
    # One row per published department below the organisation: against everyone else, and in the funnel of all.
    "comparisons": pa.schema(
        [
            *((name, TEXT) for name in ("survey", "wave", "department_id", "department")),
            *((name, NUMBER) for name in ("nps", "nps_rest")),
            *((name, NUMBER) for name in ("rest_difference", "rest_difference_low", "rest_difference_high")),
            ("rest_p_value", NUMBER),
            ("is_different_from_rest", FLAG),
            *((name, NUMBER) for name in ("funnel_centre", "funnel_answer_sd", "funnel_between_sd")),
            *((name, NUMBER) for name in ("funnel_low_95", "funnel_high_95", "funnel_low_998", "funnel_high_998")),
            ("is_outside_95", FLAG),
            ("is_outside_998", FLAG),
            ("nps_shrunken", NUMBER),
        ]
    ),
    # One row per published department × wave that it is held against: the previous one, that of a year before.
    "changes": pa.schema(
        [
            *((name, TEXT) for name in ("survey", "wave", "department_id", "department")),
            *((name, TEXT) for name in ("basis", "compared_wave", "compared_release_id", "method")),
            *((name, NUMBER) for name in ("nps_change", "nps_change_low", "nps_change_high", "p_value")),
            *((name, FLAG) for name in ("is_significant", "is_regrouped")),
        ]
    ),
    # One row per published department × wave from its first to this one: that wave's figure, the smooth through all.
    "trends": pa.schema(
        [
            *((name, TEXT) for name in ("survey", "wave", "department_id", "department", "trend_wave")),
            ("position", COUNT),
            *((name, NUMBER) for name in ("nps", "nps_low", "nps_high")),
            *((name, NUMBER) for name in ("nps_smooth", "nps_smooth_low", "nps_smooth_high")),
            ("is_break", FLAG),
            *((name, TEXT) for name in ("break_reason_en", "break_reason_nl")),
            ("is_regrouped", FLAG),
        ]
    ),
    # One row per department of today × earlier wave that departments moved since: that wave in today's tree.
    "regrouped": pa.schema(
        [
            *((name, TEXT) for name in ("survey", "wave", "department_id", "department", "parent_id")),
            ("level", COUNT),
            *((name, TEXT) for name in ("compared_wave", "compared_release_id", "status")),
            *((name, COUNT) for name in ("responses", "promoters", "passives", "detractors")),
            *((name, NUMBER) for name in ("nps", "nps_low", "nps_high")),
        ]
    ),
    # One row per published department with enough ratings × driver.
    "drivers": pa.schema(
        [
            *((name, TEXT) for name in ("survey", "wave", "department_id", "department", "driver", "label", "kind")),
            ("left_out", TEXT),
            ("responses", COUNT),
            *((name, NUMBER) for name in ("importance", "importance_low", "importance_high", "r_squared")),
            *((name, NUMBER) for name in ("rating_superpromoters", "rating_promoters", "rating_passives")),
        ]
    ),
    # One row per published department × language × word that sets a group's comments apart.
    "themes": pa.schema(
        [
            *((name, TEXT) for name in ("survey", "wave", "department_id", "department", "language", "kind", "theme")),
            ("position", COUNT),
            ("respondents", COUNT),
            *((name, NUMBER) for name in ("log_odds", "z_score")),
        ]
    ),
    # One row per published department down to a configured level × segment × value.
    "segments": pa.schema(
        [
            *((name, TEXT) for name in ("survey", "wave", "department_id", "department", "segment", "value", "status")),
            *((name, COUNT) for name in ("responses", "promoters", "passives", "detractors")),
            *((name, NUMBER) for name in ("nps", "nps_low", "nps_high")),
        ]
    ),
    # One row per department × number of waves pooled.
    "rolling": pa.schema(
        [
            *((name, TEXT) for name in ("survey", "wave", "department_id", "department")),
            ("waves", COUNT),
            ("pooled_waves", pa.list_(TEXT)),
            ("pooled_release_ids", pa.list_(TEXT)),
            ("status", TEXT),
            *((name, COUNT) for name in ("responses", "promoters", "passives", "detractors")),
            *((name, NUMBER) for name in ("nps", "nps_low", "nps_high")),
        ]
    ),
    # One row per published department × quote, personal data removed.
    "quotes": pa.schema(
        [
            *((name, TEXT) for name in ("survey", "wave", "department_id", "department", "language")),
            ("position", COUNT),
            ("quote", TEXT),
        ]
    ),
}
