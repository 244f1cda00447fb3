"""What the columns of the downloads beside the figures mean."""

from transforms.report.words import Words


def beside_columns(words: Words) -> dict[str, dict[str, str]]:
    """Per table its columns with their meaning; those that all tables have are told with the figures."""
    low, high = words.say("lower end of its 95%% interval"), words.say("upper end of its 95%% interval")
    return {
        "comparisons": _comparisons(words, low, high),
        "changes": _changes(words, low, high),
        "trends": _trends(words, low, high),
        "drivers": _drivers(words, low, high),
        "themes": {
            "language": words.say("the language of the comments"),
            "kind": words.say("whose word it is"),
            "theme": words.say("a word, or two that stand together"),
            "position": words.say("its place"),
            "respondents": words.say("different people who used it"),
            "log_odds": words.say("how much more they use it than others, as log-odds"),
            "z_score": words.say("that over its standard error"),
        },
        "quotes": {
            "language": words.say("the language of the comments"),
            "position": words.say("its place"),
            "quote": words.say("what was written, personal data removed"),
        },
    }


def captions(words: Words) -> dict[str, str]:
    """What each download holds."""
    return {
        "comparisons": words.say("Departments beside each other"),
        "changes": words.say("The change of the NPS since earlier waves"),
        "trends": words.say("The smooth through all waves"),
        "drivers": words.say("What goes together with the score"),
        "themes": words.say("The words that set a group’s comments apart"),
        "quotes": words.say("What superpromoters wrote"),
    }


def _comparisons(words: Words, low: str, high: str) -> dict[str, str]:
    return {
        "nps": words.say("Net Promoter Score"),
        "nps_rest": words.say("NPS of everyone else"),
        "rest_difference": words.say("the difference between the two, in points"),
        "rest_difference_low": low,
        "rest_difference_high": high,
        "rest_p_value": words.say("its p-value, adjusted over all departments"),
        "is_different_from_rest": words.say("whether that is below 0.05"),
        "funnel_centre": words.say("NPS of the lowest departments together: θ₀"),
        "funnel_answer_sd": words.say("standard deviation of one answer: √V₀, in points"),
        "funnel_between_sd": words.say("standard deviation between departments beyond chance: τ, in points"),
        "funnel_low_95": words.say("lower limit of the inner funnel"),
        "funnel_high_95": words.say("upper limit of the inner funnel"),
        "funnel_low_998": words.say("lower limit of the outer funnel"),
        "funnel_high_998": words.say("upper limit of the outer funnel"),
        "is_outside_95": words.say("whether the NPS lies outside the inner funnel"),
        "is_outside_998": words.say("whether the NPS lies outside the outer funnel"),
        "nps_shrunken": words.say("the NPS drawn to the mean"),
    }


def _changes(words: Words, low: str, high: str) -> dict[str, str]:
    return {
        "basis": words.say("previous or year_before"),
        "compared_wave": words.say("the wave that the change is measured against"),
        "compared_release_id": words.say("the release of that wave"),
        "method": words.say("independent, paired or overlapping: whether the same people answered both"),
        "nps_change": words.say("change of the NPS, in points"),
        "nps_change_low": low,
        "nps_change_high": high,
        "p_value": words.say("its p-value, adjusted over all departments"),
        "is_significant": words.say("whether that is below 0.05"),
        "is_regrouped": words.say("whether the earlier wave was added up again along the departments of today"),
    }


def _trends(words: Words, low: str, high: str) -> dict[str, str]:
    return {
        "trend_wave": words.say("the wave of this row"),
        "position": words.say("its place"),
        "nps": words.say("Net Promoter Score"),
        "nps_low": low,
        "nps_high": high,
        "nps_smooth": words.say("the smooth"),
        "nps_smooth_low": low,
        "nps_smooth_high": high,
        "is_break": words.say("whether the survey measures otherwise from this wave on"),
        "break_reason_en": words.say("what changed, in English"),
        "break_reason_nl": words.say("what changed, in Dutch"),
        "is_regrouped": words.say("whether that wave was added up again along the departments of today"),
    }


def _drivers(words: Words, low: str, high: str) -> dict[str, str]:
    return {
        "driver": words.say("what was rated"),
        "label": words.say("what it is called"),
        "kind": words.say("strength, lever, both or neither"),
        "left_out": words.say("why it could not be weighed"),
        "responses": words.say("people who gave a score and every rating"),
        "importance": words.say("its part of what goes together with the score, 0 to 1"),
        "importance_low": low,
        "importance_high": high,
        "r_squared": words.say("share of the differences between scores that goes with all ratings, 0 to 1"),
        "rating_superpromoters": words.say("mean rating of superpromoters"),
        "rating_promoters": words.say("mean rating of promoters"),
        "rating_passives": words.say("mean rating of passives"),
    }
