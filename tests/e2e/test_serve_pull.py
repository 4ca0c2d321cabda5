"""`phial/pull`: a model fetched from within the editor."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import anyio
import anyio.to_thread
import psutil
import pytest

from support.editors import Editor, ResponseError, editor, started
from support.hub import Hub, serve_hub
from support.stored import ENTRY, PUBLISHED, repository_of


@pytest.fixture
def hub(own_home: Path, tmp_path: Path) -> Iterator[Hub]:
    with serve_hub() as hub:
        hub.publish(repository_of(ENTRY), PUBLISHED)
        yield hub


@pytest.fixture
async def pulling(hub: Hub, tmp_path: Path) -> AsyncIterator[Editor]:
    environment = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "no login")}
    async with editor(environment=environment) as window:
        yield window


async def test_a_model_is_fetched_and_how_far_it_is_is_told(pulling: Editor) -> None:
    assert await obtain(pulling) == "pull"
    await pulling.request("phial/pull", {"model": ENTRY.id, "workDoneToken": "t"})
    assert await obtain(pulling) == "installed"
    steps = [told["value"] for told in pulling.told("$/progress") if told["token"] == "t"]
    assert [steps[0]["kind"], steps[-1]["kind"]] == ["begin", "end"]
    reports = [step for step in steps if step["kind"] == "report"]
    assert reports[0]["message"] == "Finding the model"
    assert any(step["message"].startswith("Downloading: ") and step["percentage"] for step in reports)


async def test_to_cancel_ends_the_download_and_to_ask_again_goes_on(pulling: Editor, hub: Hub) -> None:
    hub.faults["openvino_model.bin"] = ["stall"]
    number = pulling.ask("phial/pull", {"model": ENTRY.id})
    await anyio.to_thread.run_sync(hub.stalled.wait, 60)
    assert psutil.Process(pulling.process.pid).children()
    pulling.notify("$/cancelRequest", {"id": number})
    with pytest.raises(ResponseError, match="-32800"):
        await pulling.result(number)
    assert not psutil.Process(pulling.process.pid).children()
    assert await obtain(pulling) == "pull"
    await pulling.request("phial/pull", {"model": ENTRY.id})
    assert await obtain(pulling) == "installed"


async def test_what_cannot_be_fetched_is_told(pulling: Editor) -> None:
    with pytest.raises(ResponseError, match=r"There is no model phi-5.*phial models list") as caught:
        await pulling.request("phial/pull", {"model": "phi-5"})
    assert caught.value.data == {"code": "model_not_found"}


async def obtain(window: Editor) -> str:
    models = (await window.request("phial/models", None))["models"]
    return next(str(model["obtain"]) for model in models if model["id"] == ENTRY.id)


async def test_the_starter_is_offered_where_there_is_no_model(own_home: Path) -> None:
    async with editor() as window:
        asked = await window.until(lambda message: message.get("method") == "window/showMessageRequest")
        assert asked["params"]["message"].startswith("Phial: No model is installed.")
        assert asked["params"]["actions"] == [{"title": "Fetch the Starter Model (93 MB)"}]
        assert (await window.request("phial/status", None))["code"] == "no_model"


async def test_an_editor_that_cannot_ask_shows_that_there_is_no_model(own_home: Path) -> None:
    async with started() as window:
        window.refuses = frozenset({"window/showMessageRequest"})
        await window.initialize()
        shown = await window.until(lambda message: message.get("method") == "window/showMessage")
        assert shown["params"]["message"].startswith("Phial: No model is installed.")


async def test_a_model_that_came_meanwhile_is_used(own_home: Path, starter: Path, hub: Hub) -> None:
    async with editor(environment={"HF_ENDPOINT": hub.url}) as window:
        await window.status("failed")
        target = own_home / "models" / "starter"
        target.parent.mkdir(exist_ok=True)
        shutil.copytree(starter, target)
        await window.request("phial/pull", {"model": "starter"})
        assert (await window.status("ready"))["starter"]
