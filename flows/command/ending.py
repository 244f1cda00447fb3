"""How a call of the `zwerm` command ends: with what came of it, and the exit code that schedulers read."""

import json
import os
import sys
from typing import Any

import click

EXIT_CODES = """
Exit codes: 0 done; 1 unexpected; 2 configuration or usage; 3 stopped by a check; 4 held; 5 another process holds
the lease.
"""


class Command(click.Group):
    """Ends with the exit codes that schedulers read, and never with a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The calls in the order of a first time, not of the alphabet."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Call, and tell an error as a person can use it."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:  # who reads has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        except Exception as error:
            sys.exit(_report(error))


def end(as_json: bool, result: dict[str, Any], *, code: int = 0) -> None:
    """Print what came of a call, for a person or a machine, and end with its exit code."""
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False, indent=1, default=str))
    else:
        for line in result["lines"]:
            click.echo(line)
    sys.exit(code)


def _report(error: Exception) -> int:
    from flows.guard import OUR_OWN, PRIVATE, code, private_log, says

    if isinstance(error, OUR_OWN):
        click.echo(f"{click.style('zwerm:', fg='yellow', bold=True)} {says(error)}", err=True)
        return code(error)
    PRIVATE.error("the command failed", exc_info=error)
    where = private_log()
    told = f" The details are in {where}" if where else f": {error}"
    click.echo(f"zwerm: this was not expected ({type(error).__name__}).{told}", err=True)
    return 1
