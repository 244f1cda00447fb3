"""No figure in a message: whatever goes wrong inside a step is written to the private log and leaves it scrubbed."""

import functools
import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import ParamSpec, TypeVar

from checks import CheckError
from flows.errors import FlowError, LeaseTakenError
from transforms import TransformError
from warehouse import WarehouseError

P = ParamSpec("P")
R = TypeVar("R")

OUR_OWN = (FlowError, WarehouseError, CheckError, TransformError)  # their messages are written to be read by anyone
PRIVATE = logging.getLogger("zwerm.private")
PRIVATE.addHandler(logging.NullHandler())
PRIVATE.propagate = False


def says(error: Exception) -> str:
    """What the operator is told of an error: his own words where it has some that Prefect does not keep."""
    return error.says if isinstance(error, FlowError) else str(error)


def code(error: Exception) -> int:
    """The exit code of an error of ours; a warehouse that another process holds is a lease that is taken."""
    if isinstance(error, WarehouseError) and error.is_busy:
        return LeaseTakenError.exit_code
    return int(getattr(error, "exit_code", 1))


class _PrivateFile(logging.FileHandler):
    def _open(self):  # type: ignore[no-untyped-def]  # the stream's type is logging's own affair
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8")


def keep_private_log(folder: Path) -> Path:
    """Write details to a file in `folder` (0600) that only the pipeline's account can read; returns its path."""
    path = folder / f"{datetime.now(UTC):%Y-%m-%d}.log"
    earlier = [known for known in PRIVATE.handlers if isinstance(known, _PrivateFile)]
    if [known.baseFilename for known in earlier] != [str(path)]:
        for known in earlier:  # of another home, or of yesterday
            PRIVATE.removeHandler(known)
            known.close()
        handler = _PrivateFile(path)
        handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(message)s"))
        PRIVATE.addHandler(handler)
        PRIVATE.setLevel(logging.INFO)
    return path


def private_log() -> Path | None:
    """Where details are kept now, for messages that point there."""
    return next((Path(known.baseFilename) for known in PRIVATE.handlers if isinstance(known, _PrivateFile)), None)


def guarded(function: Callable[P, R]) -> Callable[P, R]:
    """Let our own errors through, bare of their causes; any other becomes one that names the step and the private log.

    Prefect keeps the message and the traceback of whatever leaves a task or a flow: in its database, its logs,
    its events and on the console, all of which others may read before the moment of release.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        failure: Exception
        try:
            return function(*args, **kwargs)
        except OUR_OWN as error:
            PRIVATE.info("%s stopped", function.__name__, exc_info=True)
            failure = error.in_public() if isinstance(error, FlowError) else error
        except Exception as error:
            PRIVATE.error("%s failed", function.__name__, exc_info=True)
            where = private_log()
            failure = FlowError(
                f"The step '{function.__name__}' failed unexpectedly ({type(error).__name__})."
                + (f" The details are in {where}" if where else "")
            )
        failure.__cause__ = failure.__context__ = failure.__traceback__ = None
        raise failure

    return run
