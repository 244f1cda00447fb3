"""A release's register as files: pages, JSON, and Parquet with the same rows; no address, target or figure in any."""

import pyarrow as pa
import pyarrow.parquet as pq

from transforms.report.register import Register, register, rows

TEXT, TIME = pa.string(), pa.timestamp("us", tz="UTC")
COLUMNS = pa.schema(
    [
        *((name, TEXT) for name in ("release_id", "survey", "wave")),
        ("revision", pa.int64()),
        ("planned_at", TIME),
        ("released_at", TIME),
        ("skew_ms", pa.float64()),
        ("tolerance_ms", pa.float64()),
        *((name, TEXT) for name in ("recipient", "channel", "language")),
        ("opened_at", TIME),
        ("answered_at", TIME),
        ("outcome", TEXT),
        ("attempts", pa.int64()),
        ("is_late", pa.bool_()),
        ("breaches", pa.list_(TEXT)),  # of the whole release, in words
        ("remarks", pa.list_(TEXT)),
        ("ledger_head", TEXT),
    ]
)


def register_files(facts: Register) -> dict[str, bytes]:
    """The register's files by their path in the release's folder."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows(facts), schema=COLUMNS), sink, compression="zstd")
    return {**register(facts), "register.parquet": sink.getvalue().to_pybytes()}
