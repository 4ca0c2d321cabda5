"""The `phial` command."""

from __future__ import annotations

import sys
import traceback

import typer

from phial import __version__, folders
from phial.cli import bench, demo, doctor, models, questions, servers
from phial.cli.output import fail
from phial.errors import PhialError

app = typer.Typer(
    name="phial",
    help="A private AI assistant for the editor: the model runs on this machine, and nothing leaves it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command line; an error that has advice is told in one sentence, with exit code 1."""
    try:
        app()
    except PhialError as error:
        fail(error)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception:  # noqa: BLE001 - the rim: a fault of ours, whose traceback helps us and not its user
        fail(_fault())


def _fault() -> PhialError:
    """Keep the traceback of the present exception in a log, and return what to tell about it."""
    log = folders.logs_folder() / "phial.log"
    log.write_text(traceback.format_exc(), encoding="utf-8")
    return PhialError("Phial has a fault.", advice=f"Please report it, with what stands in {log}.")


@app.callback(invoke_without_command=True)
def version(*, version: bool = typer.Option(False, "--version", help="Show the version and exit.")) -> None:
    """Show the version."""
    if version:
        typer.echo(f"phial {__version__}")
        raise typer.Exit


app.command()(servers.serve)
app.command()(servers.host)
app.command()(questions.ask)
app.command()(questions.explain)
app.command()(questions.complete)
app.add_typer(models.app, name="models")
app.command()(doctor.doctor)
app.command()(demo.demo)
app.command()(bench.bench)
