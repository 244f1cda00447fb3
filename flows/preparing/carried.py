"""What a revision carries as its wave's first release made it: late answers wait per region, which says nothing of it.

Those who enter a region together are enough people of two classes. How they divide over segments and windows, and how
many of them rated everything or wrote a word, may still be a few: so these tables are made once.
"""

import pandas as pd

from flows.preparing.seal import read_manifest, read_table
from flows.preparing.tables import TABLES
from flows.run import Run


def carried(run: Run, first_release_id: str, name: str) -> pd.DataFrame:
    """The rows of a table of a wave's first release; of one that was sealed before there were any, none.

    Nor are there any where the minimum was raised since: what is left of fewer by subtraction is not known any more.
    """
    folder = run.home.releases / first_release_id
    manifest = read_manifest(folder)
    is_kept = manifest["min_respondents"] >= run.survey(manifest["survey"]).min_respondents
    is_there = (folder / "tables" / f"{name}.parquet").exists()
    rows: pd.DataFrame = read_table(folder, name) if is_kept and is_there else TABLES[name].empty_table().to_pandas()
    return rows.drop(columns=["survey", "wave"])
