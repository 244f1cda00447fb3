"""Where does it live, and who may read it? The only door to DuckDB and to the ledger."""


class WarehouseError(Exception):
    """Something could not be kept, read or published; the message names the file and says what to do."""
