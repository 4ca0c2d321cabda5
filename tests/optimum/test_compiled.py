"""What OpenVINO has compiled of a model is kept, so that the next load is short; never in the model's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from phial.host import optimum
from phial.host.serial import SerialBackend
from phial.models import store
from support.exports import Exports


def test_a_model_is_compiled_once_for_one_request_at_a_time(exports: Exports, empty_home: Path) -> None:
    model = exports.get("int8")
    files = sorted(model.folder.rglob("*"))
    compiled = store.compiled_folder(model)

    from_cache = []
    for _ in range(2):
        backend = optimum.load(model, "CPU", lambda *_: None)
        from_cache.append(property_of(backend, "LOADED_FROM_CACHE"))
        assert property_of(backend, "PERFORMANCE_HINT") == "LATENCY"
        assert property_of(backend, "NUM_STREAMS") == 1
        backend.close()

    assert from_cache == [False, True]
    assert [file.suffix for file in compiled.iterdir()] == [".blob"]
    assert sorted(model.folder.rglob("*")) == files
    assert store.managed() == []
    assert store.installed() == []


def property_of(backend: SerialBackend, name: str) -> Any:
    generator = backend._generator
    assert isinstance(generator, optimum.OptimumGenerator)
    return generator._model.request.get_compiled_model().get_property(name)
