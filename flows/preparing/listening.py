"""What respondents say in their own words: a pass of its own over their comments, where these are read at all."""

import pandas as pd

from flows.preparing.carried import carried
from flows.preparing.examination import Examination
from flows.preparing.wording import is_read
from flows.run import Run
from transforms.personal.lists import words
from transforms.quotes import CANDIDATES, quotes
from transforms.sql import text
from transforms.themes import LEAST, PRIOR, stop_words, themes
from warehouse.store import Store

LEFT_BEHIND = (  # for the selects alone
    *("voices", "words", "terms", "stop_words", "given_names", "shown_themes"),
    *("first_themes", "first_quotes"),
)


def listen(store: Store, run: Run, examination: Examination, tree: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The tables `themes` and `quotes`: the words that set groups apart and, where allowed, some sentences with them.

    Reads `counted`, `pattern` and core.comments, of which personal data are removed. A revision carries them from the
    wave's first release, as far as they may still be shown.
    """
    none = pd.DataFrame(columns=["department_id", "language", "kind", "theme", "respondents", "silent", "z_score"])
    if not is_read(run, examination.survey):
        return {"themes": _named(themes(none, tree, min_respondents=1), tree), "quotes": _named(quotes(none), tree)}
    _hear(store, run, examination)
    shown = _themes(store, run, examination, tree)
    may_quote = run.survey(examination.survey).comments.quotes
    chosen = _quotes(store, run, examination, shown) if may_quote else quotes(none)
    for name in LEFT_BEHIND:
        store.run(f"drop table if exists {name}")
    return {"themes": _named(shown, tree), "quotes": _named(chosen, tree)}


def _themes(store: Store, run: Run, examination: Examination, tree: pd.DataFrame) -> pd.DataFrame:
    least = run.survey(examination.survey).min_respondents
    if examination.first_release_id is not None:
        return _kept(store, "themes", carried(run, examination.first_release_id, "themes"), min_respondents=least)
    candidates = store.frame(text("themes"), {"min_respondents": least, "prior": PRIOR, "least": LEAST})
    return themes(candidates, tree, min_respondents=least)


def _kept(store: Store, name: str, rows: pd.DataFrame, *, min_respondents: int) -> pd.DataFrame:
    """Of the rows of a wave's first release those that may still be shown."""
    store.register(f"first_{name}", rows.assign(place=range(len(rows))))
    return store.frame(text(f"{name}_kept"), {"min_respondents": min_respondents})


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
    if examination.first_release_id is not None:
        first = carried(run, examination.first_release_id, "quotes")
        return _kept(store, "quotes", first, min_respondents=settings.min_respondents)
    promoters = shown.loc[shown["kind"] == "promoters", ["department_id", "language", "theme"]]
    store.register("shown_themes", promoters.astype("string"))
    key = f"{run.home.secret().hex()} {examination.survey} {examination.wave}"
    parameters = {"min_respondents": settings.min_respondents, "most": CANDIDATES, "key": key}
    return quotes(store.frame(text("quotes"), parameters))


def _named(made: pd.DataFrame, tree: pd.DataFrame) -> pd.DataFrame:
    """The rows with the department's name, in the organisation's first language."""
    names = dict(zip(tree["department_id"], tree["name"], strict=True))
    return made.assign(department=[names[department] for department in made["department_id"]])
