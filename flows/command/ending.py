"""How a call of the `zwerm` command ends: with what came of it, and the exit code that schedulers read."""

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

import click

EXIT_CODES = """
Exit codes: 0 done; 1 unexpected; 2 configuration or usage; 3 stopped by a check; 4 held; 5 another process holds
the lease.
"""

AS_JSON = "flows.command.as_json"


class Command(click.Group):
    """Ends with the exit codes that schedulers read, and never with a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The calls in the order of a first time, not of the alphabet."""
        return list(self.commands)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See at once whether a machine asked: it is told of a call that cannot be read, too."""
        ctx.meta[AS_JSON] = "--json" in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Call, and tell an error as a person can use it, and to a machine that asked as JSON as well."""
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            _fail(ctx, error.format_message(), error.exit_code)
            raise
        except (click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:  # who reads has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        except Exception as error:
            says, exit_code = _report(error)
            _fail(ctx, says, exit_code, facts=getattr(error, "facts", {}))
            sys.exit(exit_code)


def end(as_json: bool, result: dict[str, Any], *, code: int = 0) -> None:
    """Print what came of a call, for a person or a machine, and end with its exit code.

    A machine finds the code in the result too, and where it is not 0 what is wrong, in `error`.
    """
    if as_json:
        told = {**result, "exit_code": code}
        if code:
            told.setdefault("error", "\n".join(result.get("errors") or result["lines"]))
        _print(told)
    else:
        for line in result["lines"]:
            click.echo(line)
    sys.exit(code)


def _print(told: dict[str, Any]) -> None:
    click.echo(json.dumps(told, ensure_ascii=False, indent=1, default=str))


def _fail(ctx: click.Context, says: str, code: int, *, facts: Mapping[str, Any] | None = None) -> None:
    """What a machine that asked for JSON is told of a call that failed, on stdout; a person's words are on stderr."""
    if ctx.meta[AS_JSON]:
        _print({"error": says, **(facts or {}), "exit_code": code})


def _report(error: Exception) -> tuple[str, int]:
    """Tell an error on stderr; the same words and the exit code."""
    from flows.guard import OUR_OWN, PRIVATE, code, private_log, says

    if isinstance(error, OUR_OWN):
        click.echo(f"{click.style('zwerm:', fg='yellow', bold=True)} {says(error)}", err=True)
        return says(error), code(error)
    PRIVATE.error("the command failed", exc_info=error)
    where = private_log()
    told = f"this was not expected ({type(error).__name__})." + (
        f" The details are in {where}" if where else f": {error}"
    )
    click.echo(f"zwerm: {told}", err=True)
    return told, 1
