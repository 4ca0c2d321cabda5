from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from phial.address import HostFiles
from phial.models import catalog, store
from phial.models.catalog import CATALOG
from phial.models.overview import ModelRow, overview
from support.stored import ENTRY, build_ir, install

pytestmark = pytest.mark.usefixtures("empty_store")

HUGE = replace(ENTRY, weights_bytes=10**15)


def row_of(model_id: str) -> ModelRow:
    return next(row for row in overview() if row.id == model_id)


def test_an_empty_store_shows_the_catalog() -> None:
    rows = overview()

    assert [row.id for row in rows] == [entry.id for entry in CATALOG]
    assert rows[0].id == "phi-3-mini-4k"
    assert {row.obtain for row in rows} == {"pull"}
    assert not any(row.installed or row.in_use for row in rows)
    assert [row.starter for row in rows].count(True) == 1
    assert {row.id for row in rows if row.fill_in_middle} == {
        "qwen2.5-coder-3b",
        "qwen2.5-coder-1.5b",
        "qwen2.5-coder-0.5b",
    }


def test_an_installed_model_is_shown_as_such() -> None:
    install(ENTRY.id)

    row = row_of(ENTRY.id)

    assert (row.installed, row.in_use, row.obtain, row.command) == (True, True, "installed", "")
    assert row_of("starter").command == "phial models pull starter"


def test_the_chosen_model_is_the_one_in_use() -> None:
    install(ENTRY.id)
    install("starter", starter=True)
    store.use("starter")

    assert [row.id for row in overview() if row.in_use] == ["starter"]
    store.remove("starter")
    assert [row.id for row in overview() if row.in_use] == [ENTRY.id]


def test_a_model_with_a_missing_file_is_to_be_fetched_again() -> None:
    (install(ENTRY.id).folder / "openvino_tokenizer.xml").unlink()

    row = row_of(ENTRY.id)

    assert (row.installed, row.in_use, row.command) == (False, True, f"phial models pull {ENTRY.id}")


def test_what_nobody_has_published_is_to_be_exported() -> None:
    [row] = overview([replace(ENTRY, ready_made=None)])

    assert (row.obtain, row.command) == ("export", f"phial models export {ENTRY.source}")


def test_a_model_that_needs_more_memory_than_is_free_does_not_fit() -> None:
    [huge, small] = overview([HUGE, CATALOG[-1]])

    assert (huge.fits, small.fits) == (False, True)
    assert huge.memory_bytes
    assert huge.memory_bytes > 2 * 10**15


def test_a_model_that_is_loaded_fits_whatever_is_free() -> None:
    weights = install(ENTRY.id).folder / "openvino_model.bin"
    with weights.open("r+b") as file:
        file.truncate(10**13)  # a hole in the file, which takes no space
    assert overview([ENTRY])[0].fits is False

    with HostFiles.of(weights.parent, "CPU").alive():
        assert overview([ENTRY])[0].fits is True


def test_weights_on_the_disk_count_and_not_what_the_catalog_says() -> None:
    model = install(ENTRY.id)
    expected = row_of(ENTRY.id).memory_bytes

    with (model.folder / "openvino_model.bin").open("r+b") as weights:
        weights.truncate(10**9)

    assert expected
    assert row_of(ENTRY.id).memory_bytes == expected + 2 * 10**9 - 2 * len("the openvino_model.bin")


def with_config(folder: Path, config: object) -> None:
    build_ir(folder)
    (folder / "config.json").write_text(json.dumps(config))


CONFIG = {
    "num_attention_heads": 8,
    "num_hidden_layers": 4,
    "num_key_value_heads": 2,
    "hidden_size": 512,
    "max_position_embeddings": 4096,
}


def test_a_model_of_the_users_own_is_shown_when_it_is_in_use(tmp_path: Path) -> None:
    with_config(tmp_path / "own", CONFIG)
    assert len(overview()) == len(CATALOG)

    store.use("./own")

    row = overview()[-1]
    assert (row.id, row.title, row.source) == (str(tmp_path / "own"), "own", str(tmp_path / "own"))
    assert (row.installed, row.in_use, row.obtain) == (False, True, "installed")
    assert (row.licence, row.download_bytes, row.fill_in_middle) == (None, None, None)
    assert (row.context_length, row.device, row.fits) == (4096, "CPU", True)


def test_an_installed_model_beside_the_catalog_is_shown() -> None:
    install("custom", lambda folder: with_config(folder, CONFIG))

    row = overview()[-1]

    assert (row.id, row.source, row.licence, row.installed) == ("custom", "a test", "MIT", True)
    # 2 tensors, 4 layers, 2 heads of 64, and 6 bytes for each of these
    cache = (4096 * 3 // 2 + 32) * 2 * 4 * 2 * (64 + 12)
    assert row.memory_bytes == 2 * len("the openvino_model.bin") + cache + (1 << 29)


@pytest.mark.parametrize(
    "config",
    [
        [],
        {},
        {**CONFIG, "num_hidden_layers": "4"},
        {**CONFIG, "num_attention_heads": 0, "num_key_value_heads": 0},
        {**CONFIG, "hidden_size": None},
    ],
    ids=repr,
)
def test_what_nobody_knows_is_left_open(config: object) -> None:
    install("custom", lambda folder: with_config(folder, config))

    row = overview()[-1]

    assert (row.id, row.memory_bytes, row.fits) == ("custom", None, None)


@pytest.mark.parametrize("entry", CATALOG, ids=lambda entry: entry.id)
def test_each_entry_can_be_installed_under_its_id(entry: catalog.CatalogEntry) -> None:
    install(entry.id, starter=entry.starter)

    assert catalog.find(entry.id) == entry
    assert entry.weights_bytes < entry.download_bytes
    assert entry.starter or entry.ready_made is None or entry.ready_made.startswith("OpenVINO/")
