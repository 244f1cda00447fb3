"""The process of one served flow: Prefect's engine from begin to end, and then no more."""

import atexit
import os
import runpy
import sys


def main() -> None:
    """Run the flow that the environment names; ends at once, as threads that live on make DuckDB report leaks."""
    os.umask(0o077)
    try:
        runpy.run_module("prefect.engine", run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    atexit._run_exitfuncs()  # Prefect sends its last words there
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
