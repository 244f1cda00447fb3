"""Rolling windows: what several waves pooled may show, and what is barred."""

import pandas as pd

from transforms.departments import departments
from transforms.rolling import rolling
from transforms.segments import COUNTS, Rule

RULE = Rule(10, b"", "guests 2026-10")
SHOWN, HIDDEN = "published", "suppressed"


def window(
    counts: dict[str, tuple[int, int, int]], statuses: dict[str, tuple[str, ...]], *, waves: int = 3
) -> dict[str, tuple[str, int]]:
    """Status and answers per department of a window, from the pooled counts and what each wave shows."""
    tree = departments(sorted(counts), organisation="Ferries")
    frame = pd.DataFrame([(key, *own, *own) for key, own in counts.items()], columns=["department_key", *COUNTS])
    ids = dict(zip(tree["name"], tree["department_id"], strict=True))
    of = [{"all": SHOWN} | {ids[name]: own[wave] for name, own in statuses.items()} for wave in range(waves)]
    rows = rolling(frame, tree, of, shown_now=tree, rule=RULE)
    assert rows["waves"].unique().tolist() == [waves]
    return dict(zip(rows["department"], zip(rows["status"], rows["responses"], strict=True), strict=True))


def test_two_departments_too_small_for_each_wave_show_over_three() -> None:
    rows = window(
        {"large": (60, 30, 30), "east": (6, 6, 3), "west": (6, 9, 3)},
        {"large": (SHOWN,) * 3, "east": (HIDDEN,) * 3, "west": (HIDDEN,) * 3},
    )
    assert rows == {"Ferries": (SHOWN, 153), "large": (SHOWN, 120), "east": (SHOWN, 15), "west": (SHOWN, 18)}


def test_what_stays_too_small_stays_hidden_with_what_hides_it() -> None:
    rows = window(
        {"large": (60, 30, 30), "east": (3, 3, 1), "west": (6, 9, 3)},
        {"large": (SHOWN,) * 3, "east": (HIDDEN,) * 3, "west": (HIDDEN,) * 3},
    )
    assert (rows["east"][0], rows["west"][0]) == (HIDDEN, HIDDEN)


def test_a_department_that_some_waves_show_and_others_hide_is_barred() -> None:
    rows = window(
        {"large": (60, 30, 30), "east": (20, 20, 20), "west": (20, 20, 20)},
        {"large": (SHOWN,) * 3, "east": (SHOWN, SHOWN, HIDDEN), "west": (SHOWN, SHOWN, HIDDEN)},
    )
    assert (rows["east"][0], rows["west"][0]) == (HIDDEN, HIDDEN)


def test_a_department_that_is_new_and_hidden_is_barred_for_it_had_nobody_before() -> None:
    rows = window(
        {"large": (60, 30, 30), "new": (20, 20, 20), "west": (20, 20, 20)},
        {"large": (SHOWN,) * 3, "west": (HIDDEN,) * 3},
    )
    assert rows["new"][0] == SHOWN
    tree = departments(["large", "new"], organisation="Ferries")
    new = tree.set_index("name")["department_id"]["new"]
    counts = pd.DataFrame(
        [("large", 60, 30, 30, 60, 30, 30), ("new", 20, 20, 20, 20, 20, 20)], columns=["department_key", *COUNTS]
    )
    made = rolling(counts, tree, [{"all": SHOWN}, {"all": SHOWN, new: HIDDEN}], shown_now=tree, rule=RULE)
    assert made.set_index("department")["status"]["new"] == HIDDEN


def test_what_every_wave_shows_is_shown_for_anyone_could_add_it_up() -> None:
    rows = window(
        {"large": (60, 30, 30), "east": (20, 20, 20), "west": (3, 1, 1)},
        {"large": (SHOWN,) * 3, "east": (SHOWN,) * 3, "west": (HIDDEN,) * 3},
    )
    assert rows["east"] == (SHOWN, 60)
    assert rows["west"][0] == HIDDEN
