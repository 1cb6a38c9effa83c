"""The command `ssd-centerloss`: data, training, evaluation and pictures."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ssd_centerloss.commands import data, demo, detect, train
from ssd_centerloss.commands import eval as evaluation
from ssd_centerloss.errors import UserError

INTERRUPTED = 128 + 2  # what a shell reports of a command that Ctrl-C ended

app = typer.Typer(
    name="ssd-centerloss",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Train single-shot detectors with center loss, evaluate them, look at what they find.",
)
app.add_typer(data.app, name="data")
app.command("train", epilog=train.EPILOG)(train.train)
app.command("eval", epilog=evaluation.EPILOG)(evaluation.evaluate)
app.command("detect", epilog=detect.EPILOG)(detect.detect)
app.command("demo", epilog=demo.EPILOG)(demo.demo)


def _print_version(wanted: bool) -> None:
    if wanted:
        from caffe import __version__

        typer.echo(f"ssd-centerloss {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Options that come before the name of a command."""


def main() -> None:
    """Runs the command line of this process and exits.

    0: done. 1: a UserError, an error of the runtime or of the system, in one
    line on stderr. 2: options that do not parse. 130: Ctrl-C.
    """
    try:
        status = app(standalone_mode=False)
    except KeyboardInterrupt:
        _fail("interrupted", INTERRUPTED)
    except Exception as error:
        _report(error)
    if status == INTERRUPTED:  # newer releases of typer catch Ctrl-C themselves
        _fail("interrupted", INTERRUPTED)
    sys.exit(status if isinstance(status, int) else 0)


def _report(error: Exception) -> None:
    # click's classes differ from one release of typer to the next; what they can do does not.
    show = getattr(error, "show", None)
    if callable(show):
        show()
        sys.exit(getattr(error, "exit_code", 1))
    if type(error).__name__ == "Abort":
        _fail("interrupted", INTERRUPTED)
    if isinstance(error, UserError | OSError) or _is_runtime_error(error):
        _fail(str(error), 1)
    raise error


def _is_runtime_error(error: Exception) -> bool:
    caffe = sys.modules.get("caffe")
    return caffe is not None and isinstance(error, caffe.Error)


def _fail(message: str, status: int) -> None:
    print(f"ssd-centerloss: error: {message}", file=sys.stderr)
    sys.exit(status)
