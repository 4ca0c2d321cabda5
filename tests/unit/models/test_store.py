from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from phial import folders
from phial.errors import ModelBroken, ModelNotFound, PhialError, UsageError
from phial.models import store
from phial.models.store import Model
from support.stored import IR_FILES, build_ir, install, names


@pytest.fixture(autouse=True)
def models_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("PHIAL_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return folders.models_folder()


def unexpected_build(folder: Path) -> None:
    raise AssertionError(folder)


def test_an_installed_model_is_whole(models_folder: Path) -> None:
    model = install("phi")

    assert model == Model("phi", "Phi", models_folder / "phi", context_length=4096, starter=False)
    assert store.installed() == [model]
    assert store.find_installed("phi") == model
    assert store.verify("phi") == []
    assert names(models_folder) == ["phi"]


def test_what_is_installed_is_not_built_again() -> None:
    assert install("phi") == install("phi", unexpected_build)


def test_a_failed_build_leaves_nothing(models_folder: Path) -> None:
    def build(folder: Path) -> None:
        build_ir(folder)
        raise OSError("no more")

    with pytest.raises(OSError, match="no more"):
        install("phi", build)

    assert names(models_folder) == []


def test_a_build_without_a_tokenizer_is_not_installed(models_folder: Path) -> None:
    def build(folder: Path) -> None:
        build_ir(folder)
        (folder / "openvino_tokenizer.xml").unlink()

    with pytest.raises(ModelBroken, match=r"tokenizer is missing.*openvino_tokenizer\.xml"):
        install("phi", build)

    assert names(models_folder) == []


def test_an_incomplete_model_is_repaired_by_installing_it_again() -> None:
    model = install("phi")
    (model.folder / "openvino_model.bin").unlink()
    assert store.find_installed("phi") is None

    install("phi")

    assert store.verify("phi") == []


def test_a_folder_that_is_not_ours_is_never_replaced(models_folder: Path) -> None:
    build_ir(models_folder / "phi")

    with pytest.raises(ModelBroken, match="in the way"):
        install("phi")

    assert names(models_folder / "phi") == sorted(IR_FILES)


@pytest.mark.parametrize("model_id", ["", "Phi", "../phi", "a/b", ".phi", "phi.", "a b"])
def test_an_id_must_be_the_name_of_a_folder_on_every_system(model_id: str) -> None:
    for action in (install, store.remove, store.verify):
        with pytest.raises(UsageError, match="lower-case letters"):
            action(model_id)


OTHER_PROCESS = """
import sys
from pathlib import Path
from phial.models import store

def build(folder: Path) -> None:
    for name in sys.argv[1:]:
        (folder / name).write_text("other")
    print("building", flush=True)
    sys.stdin.readline()

store.install("phi", build, title="Phi", source="a test", licence="MIT", context_length=None)
"""


def start_other_process() -> subprocess.Popen[str]:
    command = [sys.executable, "-c", OTHER_PROCESS, *IR_FILES]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "building\n"
    return process


def test_a_second_install_waits_and_finds_the_first_ones_model() -> None:
    with start_other_process() as other, ThreadPoolExecutor() as threads:
        waiting = threads.submit(install, "phi", unexpected_build)
        assert store.installed() == []
        other.communicate("go on\n")

        assert waiting.result().context_length is None
        assert other.returncode == 0


def test_a_killed_install_is_cleaned_up_by_the_next(models_folder: Path) -> None:
    with start_other_process() as other:
        other.kill()
        other.communicate()
    assert any(name.startswith(".phi.partial-") for name in names(models_folder))
    assert store.installed() == []

    install("other")

    assert names(models_folder) == ["other"]


def test_verify_names_what_has_changed() -> None:
    folder = install("phi").folder
    (folder / "openvino_model.bin").unlink()
    (folder / "openvino_model.xml").write_text("short")
    (folder / "openvino_tokenizer.xml").write_text("The openvino_tokenizer.xml")

    assert sorted(store.verify("phi")) == [
        "openvino_model.bin is missing",
        "openvino_model.xml has 5 bytes instead of 22",
        "openvino_tokenizer.xml has changed: its SHA-256 is another",
    ]


def test_remove_leaves_nothing(models_folder: Path) -> None:
    install("phi")

    store.remove("phi")

    assert names(models_folder) == []
    for action in (store.remove, store.verify):
        with pytest.raises(ModelNotFound, match="phi is not installed"):
            action("phi")


def test_the_empty_spec_means_the_best_that_is_installed() -> None:
    for model_id, starter in (("starter", True), ("zeta", False), ("alpha", False)):
        install(model_id, starter=starter)

    assert [model.id for model in store.installed()] == ["alpha", "zeta", "starter"]
    assert store.resolve(" ").id == "alpha"


@pytest.mark.parametrize("place", [".", "models/phi", "~/phi", "absolute", "models/../models/phi", "phi"])
def test_a_path_means_the_model_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str) -> None:
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    folder = tmp_path / ("models/phi" if "models" in place else "phi")
    folder.parent.mkdir(exist_ok=True)
    build_ir(folder)
    if place == ".":
        monkeypatch.chdir(folder)

    model = store.resolve(str(folder) if place == "absolute" else place)

    assert (model.id, model.starter, model.context_length) == ("phi", False, None)
    assert model.folder.is_absolute()
    assert model.folder.samefile(folder)


def test_the_folder_of_an_installed_model_is_that_model() -> None:
    model = install("starter", starter=True)

    assert store.resolve(str(model.folder)) == model


def test_an_id_goes_before_a_folder_in_the_current_directory(tmp_path: Path) -> None:
    build_ir(tmp_path / "starter")

    with pytest.raises(ModelNotFound, match="phial models pull starter"):
        store.resolve("starter")
    assert store.resolve("./starter").folder.samefile(tmp_path / "starter")


@pytest.mark.parametrize(
    ("config", "context_length"),
    [
        ('{"max_position_embeddings": 4096}', 4096),
        ('{"max_position_embeddings": "4096"}', None),
        ('{"max_position_embeddings": 0}', None),
        ("{}", None),
        ("[]", None),
        ("{", None),
    ],
)
def test_the_context_length_stands_in_config_json(
    tmp_path: Path, config: str, context_length: int | None
) -> None:
    build_ir(tmp_path / "phi")
    (tmp_path / "phi" / "config.json").write_text(config)

    assert store.resolve("./phi").context_length == context_length


@pytest.mark.parametrize(
    ("spec", "error", "words"),
    [
        ("", ModelNotFound, "No model is installed. Run `phial models pull starter`"),
        ("starter", ModelNotFound, "not installed. Run `phial models pull starter`"),
        ("unknown", ModelNotFound, "no model unknown. Run `phial models list`"),
        ("./nothing", ModelNotFound, "no folder ./nothing"),
        ("organisation/model", ModelNotFound, "no folder organisation/model"),
        ("C:\\models\\phi", ModelNotFound, "no folder C:\\models\\phi"),
        ("D:phi", ModelNotFound, "no folder D:phi"),
        ("\\\\server\\share\\phi", ModelNotFound, "no folder"),
        ("~nobody-of-that-name/phi", ModelNotFound, "no folder"),
        ("a/" + "b" * 5000, ModelNotFound, "no folder"),
        ("b" * 5000, ModelNotFound, "no model"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_not_there_is_told_with_what_to_do(spec: str, error: type[PhialError], words: str) -> None:
    with pytest.raises(error) as caught:
        store.resolve(spec)

    assert words in str(caught.value)


@pytest.mark.parametrize("missing", IR_FILES)
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    build_ir(tmp_path / "phi")
    (tmp_path / "phi" / missing).unlink()

    with pytest.raises(ModelBroken) as caught:
        store.resolve("./phi")

    assert missing in str(caught.value)
    assert ("tokenizer is missing" in str(caught.value)) == ("tokenizer" in missing)


def test_an_installed_model_with_a_missing_file_says_how_to_repair_it() -> None:
    folder = install("starter", starter=True).folder
    (folder / "openvino_model.bin").unlink()

    for spec in ("", "starter"):
        with pytest.raises(ModelBroken, match=r"no openvino_model\.bin.*Run `phial models pull starter`"):
            store.resolve(spec)
