"""`phial/models`, and a change of the model while the editor runs."""

from __future__ import annotations

from pathlib import Path

import anyio.to_thread

from phial.address import HostFiles
from support.editors import editor
from support.hosts import shut_down


async def test_the_models_are_listed_for_a_picker() -> None:
    async with editor() as window:
        listed = {entry["id"]: entry for entry in (await window.request("phial/models", None))["models"]}
    assert listed["starter"]["obtain"] == "pull"
    assert listed["starter"]["command"] == "phial models pull starter"
    assert listed["phi-3-mini-4k"]["title"] == "Phi-3-mini-4k-instruct"
    assert listed["phi-3-mini-4k"]["memoryBytes"] > 5e9


async def test_another_model_takes_over_and_the_unused_host_ends(starter: Path, tmp_path: Path) -> None:
    copies = [copied(starter, tmp_path / name) for name in ("first", "second")]
    first, second = (HostFiles.of(copy, "CPU") for copy in copies)
    try:
        async with editor({"model": str(copies[0]), "device": "CPU"}) as window:
            await window.until_ready()
            lock = first.alive()
            settings = {"phial": {"model": str(copies[1]), "device": "CPU"}}
            window.notify("workspace/didChangeConfiguration", {"settings": settings})
            ready = await window.until(
                lambda message: (
                    message.get("method") == "phial/status"
                    and (message["params"]["state"], message["params"].get("model")) == ("ready", "second")
                )
            )
            assert ready["params"]["device"] == "CPU"
            await anyio.to_thread.run_sync(lock.acquire)
            lock.release()
            assert first.read() is None
            assert second.read() is not None
            assert (await window.chat("hi", task="ask"))["text"]
    finally:
        for copy in copies:
            await shut_down(copy)


def copied(model: Path, target: Path) -> Path:
    """Make the same model stand in another folder."""
    target.mkdir()
    for file in model.glob("openvino_*"):
        (target / file.name).hardlink_to(file)
    return target
