"""What cannot load a model gives way to what can, and says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from phial.engine import launcher
from phial.errors import ModelBroken
from phial.host import loading
from phial.host.backend import Backend
from phial.host.devices import Choice
from phial.host.host import Host
from phial.models import store
from phial.models.store import Model
from support.exports import Exports
from support.hosts import host_by_hand, linked_model


@pytest.mark.parametrize("device", ["GPU", "NPU"])
async def test_a_device_that_fails_gives_way_to_the_cpu_and_health_says_why(
    device: str, exports: Exports
) -> None:
    stages: list[str] = []

    def load(model: Model, wanted: str, progress: Callable[[str, float], None]) -> Backend:
        def told(stage: str, fraction: float) -> None:
            stages.append(stage)
            progress(stage, fraction)

        return loading.load_on(Choice(wanted, "chosen in the settings"), model, told)

    host = Host(exports.get("int8"), device, load=load)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(host.run)
        while (health := host.health())["status"] == "loading":
            await host.changed.wait()
        tasks.cancel_scope.cancel()

    assert health["status"] == "ready"
    assert (health["device"], health["backend"]) == ("CPU", "openvino-genai")
    assert health["device_reason"].startswith(f"{device} failed: OpenVINO cannot load")
    assert f"on {device}: " in health["device_reason"]
    assert f"{device} failed, taking the CPU" in stages


@pytest.fixture
def without_tokenizer(exports: Exports, tmp_path: Path) -> Model:
    """A model that openvino-genai cannot load, and optimum-intel can: it needs no tokenizer of OpenVINO's."""
    name = "openvino_tokenizer.xml"
    folder = linked_model(exports.get("int8").folder, tmp_path / "model", without=name)
    (folder / name).write_text("<net")
    return store.resolve(str(folder))


async def test_the_second_backend_takes_what_the_first_cannot_load(without_tokenizer: Model) -> None:
    async with (
        host_by_hand(without_tokenizer.folder, backend="auto") as address,
        launcher.client(address, read_timeout=None) as http,
    ):
        health = await launcher.health(address)
        answer = await http.post("/v1/completions", json={"prompt": "def add(", "max_tokens": 4})

    assert health
    assert (health["backend"], health["device"]) == ("optimum-intel", "CPU")
    assert answer.json()["usage"]["completion_tokens"] == 4


def test_a_backend_that_was_asked_for_does_not_give_way(without_tokenizer: Model) -> None:
    with pytest.raises(ModelBroken, match="OpenVINO cannot load"):
        loading.load(without_tokenizer, "CPU", lambda *_: None, loading.Wanted(loading.GENAI))
