"""Rows as the warehouse hands them over."""

from collections.abc import Sequence
from typing import Any

import pandas as pd


def frame(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    """A frame of nullable types."""
    return pd.DataFrame(list(rows), columns=list(columns)).convert_dtypes(dtype_backend="numpy_nullable")
