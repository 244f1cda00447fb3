"""The templates, loaded strictly: everything is escaped, and a name that is not there is an error."""

from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from transforms.report.sentences import first_upper
from transforms.report.words import Words

LANGUAGE_NAMES = {"en": "English", "nl": "Nederlands"}  # each in its own language


@cache
def environment() -> Environment:
    """One environment for all pages; words come in with each page, because they differ by language."""
    return Environment(
        loader=PackageLoader("transforms.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def rendered(template: str, words: Words, **values: Any) -> bytes:
    """One page as bytes."""
    page = (
        environment()
        .get_template(template)
        .render(words=words, say=words.say, count=words.count, first_upper=first_upper, **values)
    )
    return page.encode()


def stylesheet() -> bytes:
    """The one stylesheet of all pages."""
    return (files("transforms.report") / "templates" / "style.css").read_bytes()
