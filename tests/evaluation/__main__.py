"""`scripts/eval`: how good the completions are, measured."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from dataclasses import asdict
from enum import Enum
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any, cast, get_args

import anyio
import typer
from rich.console import Console

from evaluation import ablation, calibration, honesty, report, variants
from evaluation.askers import Ask, Told, Trigger, bare_engine, language_server
from evaluation.holes import KINDS, Half, Hole, Kind
from evaluation.lines import Line, Lines
from evaluation.pool import SIZES, Pool
from evaluation.runner import Asked, Run, run
from evaluation.sources import ROOT, Language
from phial.errors import PhialError
from phial.models import store
from phial.settings import CompletionSettings

_LANGUAGES: tuple[Language, ...] = get_args(Language)
_HALVES: tuple[Half, ...] = get_args(Half)

_console = Console(highlight=False, width=None if Console().is_terminal else 150)
_errors = Console(stderr=True, highlight=False)


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Part(str, Enum):
    """Which half of the functions."""

    train = "train"
    test = "test"
    all = "all"


@app.command()
def main(
    *,
    model: Annotated[str, typer.Option(help="Id or path of the model; the best installed one without.")] = "",
    device: Annotated[str, typer.Option(help="AUTO, CPU, GPU, GPU.0, NPU.")] = "AUTO",
    kinds: Annotated[str, typer.Option(help=f"Some of {','.join(KINDS)}.")] = "rest,line,block,word",
    languages: Annotated[str, typer.Option(help=f"Some of {','.join(_LANGUAGES)}.")] = ",".join(_LANGUAGES),
    half: Annotated[
        Part, typer.Option(help="Try things out on `train`; `test` is for the figure.")
    ] = Part.test,
    limit: Annotated[int, typer.Option(help="Holes of each kind in each language, 0 for all.", min=0)] = 100,
    seed: Annotated[int, typer.Option(help="Which holes are dug.")] = 0,
    variant: Annotated[
        str, typer.Option(help=f"Some of {', '.join(variants.NAMES)}, asked hole by hole.")
    ] = "default",
    together: Annotated[
        int, typer.Option(help="Holes at the same time, where no server stands between.", min=1)
    ] = 1,
    trigger: Annotated[
        str, typer.Option(help="`automatic` as one types, or `invoked` by hand.")
    ] = "automatic",
    output: Annotated[
        Path | None, typer.Option(help="Folder for the lines to write and to go on with.")
    ] = None,
    jobs: Annotated[int, typer.Option(help="Processes that look for holes and check them.", min=1)] = 2,
    check: Annotated[
        bool, typer.Option("--check", help="Check the evaluation itself; needs no model.")
    ] = False,
    compare: Annotated[
        tuple[Path, Path] | None,
        typer.Option(help="Compare the lines of two runs.", metavar="A.jsonl B.jsonl"),
    ] = None,
    learn: Annotated[
        list[Path] | None,
        typer.Option(
            help="Learn how sure a completion must be from the lines of runs that showed everything."
        ),
    ] = None,
    ablate: Annotated[
        Path | None,
        typer.Option(help="Try what `untrimmed` wrote without each filter.", metavar="UNTRIMMED.jsonl"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print the figures as Markdown.")] = False,
) -> None:
    """Dig holes in well-known packages, let `phial serve` fill them, and run the packages' own examples.

    A run that is cut off goes on where it was when the same command is given again.

    Example: `scripts/eval --model phi-3-mini-4k`
    """
    if compare:
        _compare(*compare, as_json=as_json)
        return
    if learn:
        _learn(learn, as_json=as_json)
        return
    wanted_languages = cast("list[Language]", _some(languages, _LANGUAGES))
    wanted_kinds = cast("list[Kind]", _some(kinds, KINDS))
    halves = _HALVES if half is Part.all else (cast("Half", half.value),)
    choose = partial(_choose, seed=seed, jobs=jobs, limit=limit)
    places = [
        (language, kind, half) for language in wanted_languages for kind in wanted_kinds for half in halves
    ]
    if check:
        _check(places, partial(choose, halves=1), jobs=jobs, as_json=as_json)
        return
    if ablate:
        found_holes = [hole for place in places for hole in choose(*place, halves=len(halves))]
        _ablate(ablate, found_holes, jobs=jobs, as_json=as_json)
        return
    names = _some(variant, variants.NAMES)
    way = cast("Trigger", _some(trigger, get_args(Trigger))[0])
    title = re.sub(r"[^\w.-]+", "-", Path(model).name) if model else "best"
    folder = output or ROOT / "artifacts" / "evaluation"
    files = {name: folder / f"{title}-{name}-{half.value}-{way}-{seed}.jsonl" for name in names}
    settings = {"model": model, "device": device}
    try:
        store.resolve(model)  # before holes are looked for, which takes minutes the first time
        holes = _interleaved([choose(*place, halves=len(halves)) for place in places])
        found = anyio.run(partial(_run, holes, files, settings, trigger=way, together=together))
    except PhialError as error:
        _errors.print(f"error: {error}", markup=False)
        raise typer.Exit(1) from error
    for lines, file in zip(found, files.values(), strict=True):
        _tell(lines, file, as_json=as_json, as_markdown=as_markdown)


async def _run(
    holes: Sequence[Hole],
    files: dict[str, Path],
    settings: dict[str, Any],
    *,
    trigger: Trigger,
    together: int,
) -> list[list[Line]]:
    async with AsyncExitStack() as stack:
        runs = []
        for variant, file in files.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            laid_over = variants.SETTINGS.get(variant, {})
            asker = _asker({**settings, **laid_over}, variant, trigger, file.with_suffix(".log"))
            ask, told = await stack.enter_async_context(asker)
            asked = Asked(told.model, told.starter, variant, trigger, json.dumps(laid_over, sort_keys=True))
            runs.append(Run(ask, asked, Lines(file)))
        with _counting(f"answers, {', '.join(files)}", len(holes) * len(runs)) as count:
            at_once = together if all(variant in variants.WAYS for variant in files) else 1
            return await run(holes, runs, lambda _: count(), together=at_once)


def _asker(
    settings: dict[str, Any], variant: str, trigger: Trigger, log: Path
) -> AbstractAsyncContextManager[tuple[Ask, Told]]:
    if way := variants.WAYS.get(variant):
        siblings = variant in variants.WITH_SIBLINGS
        return bare_engine(way, model=settings["model"], device=settings["device"], siblings=siblings)
    return language_server(settings, trigger=trigger, log=log)


def _interleaved(places: Sequence[Sequence[Hole]]) -> list[Hole]:
    """Put the holes of all kinds in turns, so that a run that is cut off has some of each."""
    return [hole for turn in zip_longest(*places) for hole in turn if hole]


def _choose(
    language: Language, kind: Kind, half: Half, *, halves: int, seed: int, jobs: int, limit: int
) -> list[Hole]:
    """Choose holes; what is asked for of two halves is shared between them."""
    wanted = min(math.ceil(limit / halves) or SIZES[language], SIZES[language])
    with _counting(f"tries, {language} {kind} {half}") as count:
        return Pool(seed, jobs=jobs, judged=lambda _: count()).choose(language, kind, half, wanted)


def _check(
    places: Sequence[tuple[Language, Kind, Half]],
    choose: Callable[[Language, Kind, Half], list[Hole]],
    *,
    jobs: int,
    as_json: bool,
) -> None:
    found = []
    for language, kind, half in places:
        holes = choose(language, kind, half)
        with _counting(f"checks, {language} {kind} {half}", len(holes)) as count:
            found.append(honesty.check(language, kind, half, holes, jobs=jobs, judged=lambda _: count()))
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in found], indent=2))
    else:
        _console.print(report.honesty_table(found))
    if not all(row.holds for row in found):
        _errors.print("error: the evaluation cannot be believed.")
        raise typer.Exit(1)


def _compare(first: Path, second: Path, *, as_json: bool) -> None:
    figures = report.compare(list(Lines(first)), list(Lines(second)))
    if as_json:
        typer.echo(json.dumps(figures, indent=2))
    else:
        _console.print(report.comparison_table(figures))


def _learn(files: Sequence[Path], *, as_json: bool) -> None:
    found = calibration.learn([one for file in files for one in calibration.examples(Lines(file))])
    if as_json:
        typer.echo(json.dumps([asdict(learnt) for learnt in found], indent=2))
    else:
        _console.print(report.learnt_table(found))


def _ablate(file: Path, holes: Sequence[Hole], *, jobs: int, as_json: bool) -> None:
    with _counting(f"tries without a filter, {file.name}") as count:
        by_id = {hole.id: hole for hole in holes}
        found = ablation.ablate(list(Lines(file)), by_id, jobs=jobs, judged=count)
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in found], indent=2))
    else:
        _console.print(report.ablated_table(found))


def _tell(lines: list[Line], file: Path, *, as_json: bool, as_markdown: bool) -> None:
    figures = report.summarise(lines)
    about = {name: lines[0][name] for name in ("model", "variant", "trigger")} if lines else {}
    if as_json:
        typer.echo(json.dumps({**about, "figures": figures}, indent=2))
    elif as_markdown:
        typer.echo(report.markdown(figures))
    else:
        _console.print(report.table(figures, " · ".join(about.values())))
        if judged := calibration.judge(lines, asdict(CompletionSettings().threshold)):
            _console.print(report.judged_table(judged))
        _errors.print(f"Shares in %; the lines are in {file}", style="dim")


def _some(given: str, known: Sequence[str]) -> list[str]:
    """Read a list of names."""
    names = [name.strip() for name in given.split(",")]
    if unknown := [name for name in names if name not in known]:
        raise typer.BadParameter(f"{', '.join(unknown)} is not known: choose from {', '.join(known)}.")
    return names


@contextmanager
def _counting(what: str, total: int = 0) -> Iterator[Callable[[], None]]:
    """Count on stderr, for a person alone."""
    done = 0
    with _errors.status(what) as status:

        def count() -> None:
            nonlocal done
            done += 1
            status.update(f"{done}{f' of {total}' if total else ''} {what}")

        yield count


if __name__ == "__main__":
    app(prog_name="scripts/eval")
