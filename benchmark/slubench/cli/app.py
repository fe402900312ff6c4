"""The commands, and how errors are reported."""

from __future__ import annotations

import os
import sys
from typing import Annotated, NoReturn

import typer

from slubench import __version__
from slubench.cli import (
    check,
    compare,
    data,
    doctor,
    evaluate,
    leaderboard,
    listing,
    new,
    publish,
    run,
    score,
    submit,
    sweep,
)
from slubench.errors import SlubenchError
from slubench.runtime.child_process import Terminated, raise_on_termination
from slubench.runtime.streams import open_streams
from slubench.runtime.system import require_supported

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
app.command("sweep")(sweep.sweep)
app.command("plan")(sweep.plan)
app.command("evaluate")(evaluate.evaluate)
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
    """Run a command; exit 0 done, 1 failed, 2 usage, 3 verification failed, 128 and a signal's number."""
    open_streams()
    try:
        require_supported()
        raise_on_termination()
        try:
            app()
        finally:
            # What is still in the buffer is written now, where an error can be told.
            sys.stdout.flush()
    except SlubenchError as error:
        _end(str(error), error.exit_code)
    except SystemExit as ended:
        if ended.code == 130:  # what typer makes of Ctrl-C
            _end("interrupted; run the same command again to resume", 130)
        raise
    except KeyboardInterrupt:
        _end("interrupted; run the same command again to resume", 130)
    except Terminated as ended:
        _end(f"ended by {ended}; run the same command again to resume", 128 + ended.number)
    except BrokenPipeError:
        _close_stdout()  # nobody reads any more (`slubench list | head`)
        sys.exit(1)
    except MemoryError:
        _end("out of memory (check `ulimit -v`); no partial file was kept", 1)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        _end(f"{place}{error.strerror or error}; no partial file was kept", 1)
    except ImportError as error:
        _end(f"a library cannot be loaded ({error}); run `slubench doctor` to check the installation", 1)


def _end(message: str, code: int) -> NoReturn:
    try:
        print(f"slubench: {message}", file=sys.stderr, flush=True)
    except OSError:
        code = code or 1
    try:
        sys.stdout.flush()
    except OSError:
        _close_stdout()
    sys.exit(code)


def _close_stdout() -> None:
    """Discard what is left in stdout's buffer, which would cause a second error at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
