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
    show,
    submit,
    sweep,
)
from slubench.cli.command import Command
from slubench.errors import SlubenchError
from slubench.runtime.child_process import Terminated, raise_on_termination
from slubench.runtime.streams import open_streams
from slubench.runtime.system import require_supported
from slubench.runtime.unexpected import kept_traceback, told
from slubench.runtime.verbosity import set_verbosity

app = typer.Typer(
    name="slubench",
    help="A benchmark of fine-tuning strategies for spoken language understanding.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
app.command("run", cls=run.RunCommand, short_help="Train with a strategy, predict and score.")(run.run)
app.command("sweep", cls=Command, short_help="Run every combination of several values.")(sweep.sweep)
app.command("plan", cls=Command, short_help="Show what a sweep would do and cost.")(sweep.plan)
app.command("evaluate", cls=Command, short_help="Evaluate an adapter trained elsewhere.")(evaluate.evaluate)
app.command("score", cls=Command, short_help="Score a predictions file from any system.")(score.score)
app.command("rescore", cls=Command, short_help="Score kept predictions with this version.")(score.rescore)
app.command("list", cls=Command, short_help="List tasks, strategies, models and runs.")(listing.list_)
app.command("show", cls=Command, short_help="Show a declaration, or the card of a run.")(show.show)
app.command("compare", cls=Command, short_help="Compare two runs or strategies.")(compare.compare)
app.add_typer(leaderboard.app, name="leaderboard")
app.add_typer(data.app, name="data")
app.add_typer(new.app, name="new")
app.command("check", cls=Command, short_help="Check a strategy, task or model.")(check.check)
app.command("publish", cls=Command, short_help="Copy scores to the tracked folders.")(publish.publish)
app.command("push", cls=Command, short_help="Upload an adapter to the Hub.")(publish.push)
app.command("submit", cls=Command, short_help="Pack scored runs for submission.")(submit.submit)
app.command("verify", cls=Command, short_help="Verify a bundle and grant it a tier of proof.")(submit.verify)
app.command("doctor", cls=Command, short_help="Check this machine and what is installed.")(doctor.doctor)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"slubench {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Also print versions and tracebacks.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print results and errors only.")] = False,
) -> None:
    """A benchmark of fine-tuning strategies for spoken language understanding."""
    set_verbosity(quiet=quiet, verbose=verbose)


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
    except Exception as error:
        _end(f"unexpected error: {told(error)}. {kept_traceback(error)}", 1)


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
