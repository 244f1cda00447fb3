"""A step as Prefect shows it."""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from prefect import task
from prefect.cache_policies import NO_CACHE

from flows.guard import guarded

P = ParamSpec("P")
R = TypeVar("R")


def as_task(function: Callable[P, R], /) -> Callable[P, R]:
    """The step with a name and a state in Prefect, and nothing there of what it was given, found or met."""
    named = task(name=function.__name__, cache_policy=NO_CACHE, persist_result=False)(guarded(function))

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        result: R = named(*args, **kwargs)
        return result

    return run
