"""What respondents say in their own words: a pass of its own over their comments, where these are read at all."""

import pandas as pd

from flows.preparing.counting import Examination
from flows.preparing.wording import is_read
from flows.run import Run
from transforms.personal.lists import words
from transforms.quotes import CANDIDATES, quotes
from transforms.sql import text
from transforms.themes import LEAST, PRIOR, stop_words, themes
from warehouse.store import Store

LEFT_BEHIND = ("voices", "words", "terms", "stop_words", "given_names", "shown_themes")  # for the selects alone


def listen(store: Store, run: Run, examination: Examination, tree: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The tables `themes` and `quotes`: the words that set groups apart and, where allowed, some sentences with them.

    Reads `counted`, `pattern` and core.comments, of which personal data are removed.
    """
    none = pd.DataFrame(columns=["department_id", "language", "kind", "theme", "respondents", "silent", "z_score"])
    if not is_read(run, examination.survey):
        return {"themes": _named(themes(none, tree, min_respondents=1), tree), "quotes": _named(quotes(none), tree)}
    _hear(store, run, examination)
    least = run.survey(examination.survey).min_respondents
    candidates = store.frame(text("themes"), {"min_respondents": least, "prior": PRIOR, "least": LEAST})
    shown = themes(candidates, tree, min_respondents=least)
    may_quote = run.survey(examination.survey).comments.quotes
    chosen = _quotes(store, run, examination, shown) if may_quote else quotes(none)
    for name in LEFT_BEHIND:
        store.run(f"drop table if exists {name}")
    return {"themes": _named(shown, tree), "quotes": _named(chosen, tree)}


def _hear(store: Store, run: Run, examination: Examination) -> None:
    """Make the tables that both selects read: who says something, each word of it, and each term."""
    settings = run.survey(examination.survey)
    roles = settings.roles
    store.register("stop_words", stop_words())
    names = sorted({name.lower() for name in words("given_names")})
    store.register("given_names", pd.DataFrame({"word": names}, dtype="string"))
    asked = {
        "told_min": settings.superpromoters.told_min,
        "told_is_asked": roles.told_count is not None,
        "acted_is_asked": roles.acted_count is not None,
        "copied_is_asked": roles.copied is not None,
    }
    store.run(f"create or replace temporary table voices as {text('voices')}", asked)
    for name in ("words", "terms"):
        store.run(f"create or replace temporary table {name} as {text(name)}")


def _quotes(store: Store, run: Run, examination: Examination, shown: pd.DataFrame) -> pd.DataFrame:
    settings = run.survey(examination.survey)
    promoters = shown.loc[shown["kind"] == "promoters", ["department_id", "language", "theme"]]
    store.register("shown_themes", promoters.astype("string"))
    key = f"{run.home.secret().hex()} {examination.survey} {examination.wave}"
    parameters = {"min_respondents": settings.min_respondents, "most": CANDIDATES, "key": key}
    return quotes(store.frame(text("quotes"), parameters))


def _named(made: pd.DataFrame, tree: pd.DataFrame) -> pd.DataFrame:
    """The rows with the department's name, in the organisation's first language."""
    names = dict(zip(tree["department_id"], tree["name"], strict=True))
    return made.assign(department=[names[department] for department in made["department_id"]])
