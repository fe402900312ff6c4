"""The commands, and how an error of any of them ends."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from slubench import __version__
from slubench.cli import check, compare, data, doctor, leaderboard, listing, new, publish, run, score, submit
from slubench.errors import SlubenchError

app = typer.Typer(
    name="slubench",
    help="A benchmark of fine-tuning strategies for spoken language understanding.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(run.run)
app.command("sweep")(run.sweep)
app.command("score")(score.score)
app.command("rescore")(score.rescore)
app.command("list")(listing.list_)
app.command("show")(listing.show)
app.command("compare")(compare.compare)
app.add_typer(leaderboard.app, name="leaderboard")
app.add_typer(data.app, name="data")
app.add_typer(new.app, name="new")
app.command("check")(check.check)
app.command("publish")(publish.publish)
app.command("push")(publish.push)
app.command("submit")(submit.submit)
app.command("verify")(submit.verify)
app.command("doctor")(doctor.doctor)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"slubench {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A benchmark of fine-tuning strategies for spoken language understanding."""


def main() -> None:
    """Run a command; exit 0 done, 1 failed, 2 usage, 3 verification failed, 130 interrupted."""
    try:
        app()
    except SlubenchError as error:
        print(f"slubench: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("slubench: interrupted; run the same command again to resume", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        # Nobody reads any more (`slubench list | head`); a second error at exit would say so again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        print(f"slubench: {place}{error.strerror or error}; nothing half-written is kept", file=sys.stderr)
        sys.exit(1)
