"""The selects over ratings, made for as many drivers as a survey maps; driver_0 is the score."""

from collections.abc import Sequence

from transforms.sql import filled, literal


def ratings(names: Sequence[str]) -> str:
    """The pass over single responses: how each person who gave a score and rated every driver did so."""
    columns = [
        f"try_cast(drivers[{literal(name)}] as decimal(12, 4)) as driver_{number}"
        for number, name in enumerate(names, start=1)
    ]
    complete = [f"driver_{number} is not null" for number in range(1, len(names) + 1)]
    return filled("ratings", {"ratings": ", ".join(columns), "is_complete": " and ".join(complete)})


def rating_sums(names: Sequence[str]) -> str:
    """The sums from which drivers' figures follow, per published department."""
    every, own = range(len(names) + 1), range(1, len(names) + 1)
    sums = [f"sum(driver_{i}) as sum_{i}" for i in every]
    sums += [f"sum(driver_{i} * driver_{j}) as sum_{i}_{j}" for i in every for j in every if i <= j]
    for group in ("superpromoter", "promoter", "passive"):
        chosen = f"filter (is_{group})"
        sums += [f"coalesce(sum(driver_{i}) {chosen}, 0) as sum_{group}_{i}" for i in own]
        sums += [f"coalesce(sum(driver_{i} * driver_{i}) {chosen}, 0) as sum_{group}_{i}_{i}" for i in own]
    sums += [f"min(driver_{i}) as lowest_{i}, max(driver_{i}) as highest_{i}" for i in own]
    return filled("rating_sums", {"sums": ",\n        ".join(sums)})


def rating_sample(names: Sequence[str]) -> str:
    """The rows that intervals are bootstrapped from."""
    drivers = [f"driver_{number}" for number in range(len(names) + 1)]
    doubles = ", ".join(f"{driver}::double as {driver}" for driver in drivers)
    return filled("rating_sample", {"drivers": ", ".join(drivers), "doubles": doubles})
