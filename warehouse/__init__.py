"""Where does it live, and who may read it? The only door to DuckDB and to the ledger."""


class WarehouseError(Exception):
    """Something could not be kept, read or published; the message names the file and says what to do."""

    is_busy: bool = False  # another process has the warehouse open; trying again later will do
    exit_code: int = 1  # 3: a file is not what it was agreed to be, as when a check stops a run
    holder: int | None = None  # its process id, where DuckDB tells it
