"""`phial doctor`: what there is on this machine, and what is wrong."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from typing import Annotated

import anyio
import psutil
import typer
from rich.text import Text

from phial import __version__, folders
from phial.address import HostAddress
from phial.cli.output import console, print_json
from phial.cli.speed import Finding, speed_findings
from phial.engine import launcher
from phial.models import store
from phial.models.catalog import DEFAULT
from phial.models.overview import overview

_GIB = 1 << 30
_LITTLE_MEMORY = 2 * _GIB
_LITTLE_DISK = 3 * _GIB
_MARKS = {"good": ("✓", "green"), "note": ("•", "yellow"), "wrong": ("✗", "red")}


def doctor(
    *,
    speed: Annotated[bool, typer.Option(help="Measure how fast the model in use is: some seconds.")] = True,
    json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Look at everything that Phial needs; exit code 1 if something is wrong.

    Example: `phial doctor`
    """
    findings = [*_versions(), *_devices(), *_resources(), *_models(), _default_model(), *anyio.run(_hosts)]
    if speed and store.installed():
        findings += speed_findings()
    if json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            _show(finding)
    raise typer.Exit(1 if any(finding.verdict == "wrong" for finding in findings) else 0)


def _versions() -> Iterator[Finding]:
    python = ".".join(map(str, sys.version_info[:3]))
    yield Finding("Phial", "good", f"{__version__} on Python {python}, {platform.platform(terse=True)}")
    yield from map(_package, ("openvino", "openvino-genai", "openvino-tokenizers", "pygls", "lsprotocol"))


def _package(name: str) -> Finding:
    try:
        return Finding(name, "good", version_of(name))
    except PackageNotFoundError:
        return Finding(name, "wrong", "not installed", "Run `pip install --upgrade phial-ls`.")


def _devices() -> Iterator[Finding]:
    from phial.host.devices import devices

    try:
        found = devices()
    except (ImportError, RuntimeError) as error:
        yield Finding("Devices", "wrong", f"OpenVINO does not start: {error}", "Install phial-ls again.")
        return
    for device in found:
        yield Finding(device.name, "good", device.full_name)
    if not found:
        yield Finding(
            "Devices", "wrong", "OpenVINO sees none", "Update the drivers, or install phial-ls again."
        )


def _resources() -> Iterator[Finding]:
    memory = psutil.virtual_memory()
    detail = f"{memory.available / _GIB:.1f} GB free of {memory.total / _GIB:.1f} GB"
    few = memory.available < _LITTLE_MEMORY
    yield Finding("Memory", "note" if few else "good", detail, "Close other programs." if few else "")
    disk = shutil.disk_usage(folders.models_folder())
    detail = f"{disk.free / _GIB:.1f} GB free at {folders.models_folder()}"
    few = disk.free < _LITTLE_DISK
    advice = "Free some space, or set PHIAL_HOME to a folder on another disk." if few else ""
    yield Finding("Disk", "note" if few else "good", detail, advice)
    yield Finding("Logs", "good", f"in {folders.logs_folder()}")


def _models() -> Iterator[Finding]:
    models = store.installed()
    for model in models:
        problems = store.verify(model.id)
        if problems:
            advice = f"Run `phial models pull {model.id}` to fetch it again."
            yield Finding(f"Model {model.id}", "wrong", "; ".join(problems), advice)
        else:
            kind = " (the small starter model)" if model.starter else ""
            yield Finding(f"Model {model.id}", "good", f"{model.title}{kind}")
    if not models:
        yield Finding("Models", "wrong", "none is installed", "Run `phial models pull starter`.")


def _default_model() -> Finding:
    """Tell whether this machine can run the model that Phial is made for."""
    row = next(row for row in overview() if row.id == DEFAULT)
    memory = f"takes {(row.memory_bytes or 0) / _GIB:.1f} GB while it runs"
    if not row.fits:
        advice = "Close other programs, or use a smaller model: `phial models list`."
        return Finding("Default model", "note", f"{row.title} {memory}, which are not free now", advice)
    advice = "" if row.installed else f"Run `{row.command}` to fetch it."
    return Finding(
        "Default model", "good" if row.installed else "note", f"{row.title} fits: it {memory}", advice
    )


async def _hosts() -> list[Finding]:
    addresses = [
        address for file in folders.hosts_folder().glob("host-*.json") if (address := HostAddress.read(file))
    ]
    findings = [await _host(address) for address in addresses]
    return [finding for finding in findings if finding] or [Finding("Host", "good", "none is running")]


async def _host(address: HostAddress) -> Finding | None:
    health = await launcher.health(address)
    if health is None:
        return None
    what = f"{health['title']} on {health['device']}, process {address.pid}"
    if health["status"] == "failed":
        return Finding("Host", "wrong", f"{what}: {health['error']['message']}")
    speed = health.get("tokens_per_second")
    pace = f", {speed:.0f} tokens/s" if speed else ""
    return Finding("Host", "good", f"{health['status']}: {what}{pace}")


def _show(finding: Finding) -> None:
    mark, colour = _MARKS[finding.verdict]
    line = Text.assemble((f"{mark} ", colour), (f"{finding.name:<20}", "bold"), finding.detail)
    console.print(line, soft_wrap=True)
    if finding.advice:
        console.print(Text(f"  {'':<20}{finding.advice}", style=colour), soft_wrap=True)
