from __future__ import annotations

from pathlib import Path

import pytest

from phial.errors import ModelBroken, ModelNotFound
from phial.models import store
from support.stored import build_ir, install, names


@pytest.fixture(autouse=True)
def several_models(empty_store: Path) -> None:
    for model_id in ("alpha", "zeta"):
        install(model_id)
    install("starter", starter=True)


def test_without_a_choice_the_best_model_is_in_use() -> None:
    in_use = store.in_use()

    assert in_use
    assert in_use.id == "alpha"
    assert store.lost_choice() == ""


@pytest.mark.parametrize("spec", ["zeta", " zeta ", "starter"])
def test_the_chosen_model_is_in_use(spec: str) -> None:
    chosen = store.use(spec)

    assert chosen.id == spec.strip()
    assert store.resolve("") == store.in_use() == chosen
    assert store.lost_choice() == ""


def test_a_later_choice_takes_the_place_of_the_earlier_one(empty_store: Path) -> None:
    store.use("zeta")
    store.use("alpha")

    assert store.resolve("").id == "alpha"
    assert names(empty_store) == [".in-use", "alpha", "starter", "zeta"]


@pytest.mark.parametrize("place", ["own", "./own", "absolute"])
def test_a_folder_elsewhere_can_be_chosen_from_any_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str
) -> None:
    build_ir(tmp_path / "own")
    store.use(str(tmp_path / "own") if place == "absolute" else place)
    monkeypatch.chdir(tmp_path.parent)

    chosen = store.resolve("")

    assert chosen.id == "own"
    assert chosen.folder.samefile(tmp_path / "own")
    assert not store.is_managed(chosen)


def test_the_folder_of_an_installed_model_is_chosen_by_its_id(empty_store: Path) -> None:
    store.use(str(empty_store / "zeta"))

    assert '"zeta"' in (empty_store / ".in-use").read_text()
    assert store.is_managed(store.resolve(""))


def test_when_the_chosen_model_has_gone_the_next_best_is_in_use() -> None:
    store.use("zeta")

    store.remove("zeta")

    assert store.resolve("").id == "alpha"
    assert store.lost_choice() == "zeta"
    install("zeta")
    assert store.resolve("").id == "zeta"
    assert store.lost_choice() == ""


def test_when_the_chosen_folder_has_gone_the_next_best_is_in_use(tmp_path: Path) -> None:
    build_ir(tmp_path / "own")
    store.use("./own")

    (tmp_path / "own").rename(tmp_path / "moved")

    assert store.resolve("").id == "alpha"
    assert store.lost_choice() == str(tmp_path / "own")


def test_a_chosen_model_with_a_missing_file_is_told() -> None:
    (store.use("starter").folder / "openvino_model.bin").unlink()

    with pytest.raises(ModelBroken, match=r"no openvino_model\.bin.*Run `phial models pull starter`"):
        store.resolve("")


def test_what_is_not_there_cannot_be_chosen() -> None:
    store.use("zeta")

    with pytest.raises(ModelNotFound):
        store.use("unknown")

    assert store.resolve("").id == "zeta"


@pytest.mark.parametrize(
    "content", [b"", b"zeta", b"[]", b'{"model": 1}', b"\xff", b'{"model": ""}'], ids=repr
)
def test_a_choice_that_cannot_be_read_is_none(empty_store: Path, content: bytes) -> None:
    (empty_store / ".in-use").write_bytes(content)

    assert store.resolve("").id == "alpha"
    assert store.lost_choice() == ""
