"""What a run tells on the terminal while it works: one line per step, with a spinner where someone is looking."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from rich.console import Console
from rich.markup import escape

_QUIET: ContextVar[bool] = ContextVar("quiet", default=False)


def be_quiet() -> None:
    """Tell nothing more: the output is for a machine."""
    _QUIET.set(True)


def be_heard() -> None:
    """Tell again what is done: someone reads along."""
    _QUIET.set(False)


def tell(line: str) -> None:
    """Print a line for the operator; never a metric, nor anything a respondent wrote."""
    if not _QUIET.get():
        _console().print(escape(line), highlight=False, soft_wrap=True)


def counted(number: int, noun: str) -> str:
    """A number with its noun."""
    many = f"{noun.removesuffix('y')}ies" if noun.endswith("ry") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else many}"


@contextmanager
def step(title: str) -> Iterator[list[str]]:
    """Show that a step is under way and how long it took; what is appended to the list is printed behind it."""
    notes: list[str] = []
    if _QUIET.get():
        yield notes
        return
    console, began = _console(), time.monotonic()
    if console.is_terminal:
        with console.status(escape(title)):
            yield notes
    else:
        yield notes
    seconds = f"{time.monotonic() - began:.1f} s"
    words = f"{title}: {', '.join(notes)}" if notes else title
    console.print(f"[dim]{seconds:>7}[/]  {escape(words)}", highlight=False, soft_wrap=True)


def _console() -> Console:
    return Console(stderr=True)
