"""Steps and flows as Prefect shows them: names, states and words, and nothing of what was given, found or met."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, ParamSpec, TypeVar, cast

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.runtime import deployment
from prefect.states import Completed, Failed

from flows.errors import FlowError, HeldError, StoppedByCheckError
from flows.guard import OUR_OWN, guarded
from flows.progress import tell

P = ParamSpec("P")
R = TypeVar("R")

WAITS_FOR_OTHERS = timedelta(hours=2)
NAMES: dict[type[Exception], str] = {
    HeldError: "Held",
    StoppedByCheckError: "Stopped",
}  # of the states that say more than Failed


def as_task(function: Callable[P, R], /) -> Callable[P, R]:
    """The step with a name and a state in Prefect, and nothing there of what it was given, found or met."""
    named = task(name=function.__name__, cache_policy=NO_CACHE, persist_result=False)(guarded(function))

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        result: R = named(*args, **kwargs)
        return result

    return run


def is_served() -> bool:
    """Whether this flow run came from a deployment: nobody waits for what it returns."""
    return deployment.id is not None


@dataclass(frozen=True)
class Outcome(Generic[R]):
    """What a flow gives to who called it, and says where nobody did."""

    value: R
    says: str


def patience() -> timedelta:
    """How long a run waits for the warehouse: two surveys may have the same schedule, and nobody would call again."""
    return WAITS_FOR_OTHERS if is_served() else timedelta()


def told(function: Callable[P, Outcome[R]], /) -> Callable[P, R]:
    """A flow's body; in a served run a state tells in words what came of it, or why nothing did."""
    body = guarded(function)

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if not is_served():
            return body(*args, **kwargs).value
        return cast(R, _state(body, *args, **kwargs))  # nobody reads it but Prefect

    return run


def _state(body: Callable[P, Outcome[R]], *args: P.args, **kwargs: P.kwargs) -> "State[None]":
    try:
        return Completed(message=body(*args, **kwargs).says)
    except OUR_OWN as error:
        tell(error.says if isinstance(error, FlowError) else str(error))  # to the operator, in his own words
        name = next((name for kind, name in NAMES.items() if isinstance(error, kind)), "Failed")
        return Failed(name=name, message=str(error))
