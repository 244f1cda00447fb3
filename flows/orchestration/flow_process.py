"""The process of one served flow: Prefect's engine from begin to end, and then no more."""

import atexit
import io
import os
import runpy
import sys
from contextlib import suppress


def main() -> None:
    """Run the flow that the environment names; ends at once, as threads that live on make DuckDB report leaks."""
    os.umask(0o077)
    sys.stdout, sys.stderr = _Told(1), _Told(2)
    try:
        runpy.run_module("prefect.engine", run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    atexit._run_exitfuncs()  # Prefect sends its last words there
    os._exit(code)


class _Told(io.TextIOBase):
    """Output to a pipe that `serve` reads; when that was killed and nobody reads any more, the moment still goes on."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, text: str) -> int:
        """Write what somebody reads."""
        with suppress(BrokenPipeError):
            os.write(self._descriptor, text.encode(errors="replace"))
        return len(text)


if __name__ == "__main__":
    main()
