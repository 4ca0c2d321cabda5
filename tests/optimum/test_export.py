"""`phial models export`: what it installs, and what it refuses."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from phial import folders
from phial.errors import DiskFull, DownloadError, ModelError, ModelNotFound, PhialError
from phial.models import manifest
from phial.models.conversion import ExportOptions
from phial.models.export import default_id, export
from support.exports import IDS, REPOSITORY, Exports, environment
from support.hub import INFO, Hub, Refusal, serve_hub
from support.processes import PHIAL

INT4 = ExportOptions()


@pytest.fixture
def hub(empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serve_hub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


@pytest.fixture
def saved(small_phi3: Path, tmp_path: Path) -> Path:
    """A copy of the small Phi-3 without its weights, to be spoilt."""
    folder = tmp_path / "Saved Model"
    shutil.copytree(small_phi3, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    (folder / "model.safetensors").touch()
    return folder


def export_error(source: Path | str, options: ExportOptions = INT4) -> PhialError:
    with pytest.raises(PhialError) as caught:
        export(str(source), model_id="it", options=options, progress=lambda _: None)
    assert names(folders.models_folder()) == []
    return caught.value


def spoil(folder: Path, **values: object) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


def names(folder: Path) -> list[str]:
    return sorted(item.name for item in folder.iterdir() if item.name not in {".lock", ".downloads"})


@pytest.mark.parametrize(("weight_format", "bytes_per_weight"), [("fp32", 4), ("int8", 1), ("int4", 1)])
def test_a_manifest_tells_how_a_model_was_made(
    weight_format: str, bytes_per_weight: int, exports: Exports
) -> None:
    model = exports.get(weight_format)

    content = manifest.read(model.folder)
    assert content
    options = content.made_with["options"]
    assert options == {**vars(INT4), "weight_format": weight_format}
    assert content.made_with["versions"].keys() >= {
        "optimum-intel",
        "transformers",
        "nncf",
        "openvino",
        "torch",
    }
    assert content.context_length == 4096
    weights = content.files["openvino_model.bin"].size
    parameters = (exports.source / "model.safetensors").stat().st_size / 4
    assert 0.9 < weights / parameters / bytes_per_weight < 1.1


def test_an_export_is_whole_and_tells_nobody(exports: Exports) -> None:
    folder = exports.get("int4").folder

    assert names(folder) == [
        "chat_template.jinja",
        "config.json",
        "generation_config.json",
        "openvino_config.json",
        "openvino_detokenizer.bin",
        "openvino_detokenizer.xml",
        "openvino_model.bin",
        "openvino_model.xml",
        "openvino_tokenizer.bin",
        "openvino_tokenizer.xml",
        "phial-model.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    assert not (exports.home / "user" / "intel").exists(), "OpenVINO has noted who uses it"


def test_an_export_from_a_hub_is_the_catalogs_model_of_one_commit(exports: Exports) -> None:
    model = exports.get("int4")

    content = manifest.read(model.folder)
    assert content
    commit = "0" * 40
    assert (content.id, content.title) == ("phi-3-mini-4k", "Phi-3-mini-4k-instruct")
    assert (content.source, content.licence) == (f"{REPOSITORY}@{commit}", "MIT")
    assert content.made_with["revision"] == commit
    assert not (exports.home / "models" / ".downloads" / model.id).exists()


def test_an_export_from_a_folder_names_the_folder(exports: Exports) -> None:
    content = manifest.read(exports.get("int8").folder)

    assert content
    assert (content.source, content.licence) == (str(exports.source), "unknown")
    assert content.made_with["revision"] is None


def test_verify_finds_an_export_sound(exports: Exports) -> None:
    ids = [exports.get(weight_format).id for weight_format in IDS]

    for model_id in ids:
        command = [*PHIAL, "models", "verify", model_id]
        result = subprocess.run(command, env=environment(exports.home), capture_output=True, check=False)
        assert (result.returncode, result.stdout.split()[-1]) == (0, b"sound.")


def test_a_second_export_under_an_id_is_the_first_or_an_error(
    exports: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHIAL_HOME", str(exports.home))
    model = exports.get("int8")

    def again(source: Path, options: ExportOptions) -> None:
        assert export(str(source), model_id=model.id, options=options, progress=lambda _: None) == model

    again(exports.source, ExportOptions("int8"))
    with pytest.raises(ModelError, match="with other options"):
        again(exports.source, ExportOptions("int8", sym=False))
    with pytest.raises(ModelError, match="--id"):
        again(exports.source.parent, ExportOptions("int8"))


@pytest.mark.parametrize(
    ("source", "weight_format", "model_id"),
    [
        (REPOSITORY, "int4", "phi-3-mini-4k"),
        (REPOSITORY, "int8", "phi-3-mini-4k-int8"),
        ("phi-3-mini-4k", "int4", "phi-3-mini-4k"),
        ("Someone/Fine_Model-1.5B-Instruct", "int4", "fine_model-1.5b-instruct"),
        ("Saved Model", "fp16", "saved-model-fp16"),
        ("Saved Model/", "int4", "saved-model"),
    ],
)
def test_the_id_comes_from_the_source(
    source: str, weight_format: str, model_id: str, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(saved.parent)

    assert default_id(source, weight_format) == model_id


def test_without_the_extra_one_command_is_named_that_installs_it(small_phi3: Path, tmp_path: Path) -> None:
    code = "import sys; sys.modules['optimum'] = None; from phial.cli import main; main()"
    arguments = ["models", "export", str(small_phi3)]

    result = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 1
    assert f'{sys.executable} -m pip install "phial-ls[optimum]"' in result.stderr
    assert "Traceback" not in result.stderr


def test_what_is_no_folder_and_no_repository_is_not_found(empty_home: Path) -> None:
    for source in ("nothing", "./owner/name", "a/b/c", "", "starter"):
        assert isinstance(export_error(source), ModelNotFound)


def test_a_folder_without_a_model_is_refused(empty_home: Path, saved: Path, exports: Exports) -> None:
    (saved / "model.safetensors").unlink()
    assert "no weights" in str(export_error(saved))
    (saved / "config.json").unlink()
    assert "no config.json" in str(export_error(saved))
    exported = export_error(exports.get("int8").folder)
    assert "`phial.model`" in str(exported)


def test_a_model_without_a_chat_template_is_refused(empty_home: Path, saved: Path) -> None:
    (saved / "tokenizer_config.json").write_text("{}")

    assert "-instruct" in str(export_error(saved))


@pytest.mark.parametrize(
    "values",
    [
        {"model_type": "new", "architectures": ["NewForCausalLM"]},
        {"model_type": "bert", "architectures": ["BertModel"]},
        {"model_type": "new", "auto_map": {"AutoConfig": "config.C", "AutoModelForCausalLM": "model.M"}},
    ],
    ids=["unknown", "not for text generation", "code of its own"],
)
def test_another_architecture_is_refused_in_one_sentence(
    values: dict[str, object], empty_home: Path, saved: Path
) -> None:
    spoil(saved, **values)
    (saved / "config.py").write_text("raise SystemExit('run')")

    error = export_error(saved)

    assert isinstance(error, ModelError)
    assert error.next_step.startswith("Choose a model of an")
    log = folders.logs_folder() / "export.log"
    assert str(log) in error.next_step
    assert "Traceback" in log.read_text()
    assert "Traceback" not in str(error)


def test_a_disk_without_room_is_told_of_before_anything_is_done(empty_home: Path, saved: Path) -> None:
    with (saved / "model.safetensors").open("r+b") as weights:
        weights.truncate(shutil.disk_usage(saved).total)  # sparse: it takes no room itself

    assert isinstance(export_error(saved), DiskFull)
    assert not (folders.logs_folder() / "export.log").exists()


def test_a_hub_that_refuses_is_told_with_the_way_in(hub: Hub) -> None:
    hub.publish("owner/gated", {"config.json": b"{}"})
    hub.faults[INFO] = [Refusal(403)]

    error = export_error("owner/gated")

    assert isinstance(error, DownloadError)
    assert "HF_TOKEN" in str(error)


def test_a_repository_without_a_model_is_refused_before_anything_is_fetched(hub: Hub) -> None:
    assert "does not exist" in str(export_error("owner/nothing"))
    hub.publish("owner/data", {"README.md": b"# Data"})
    assert "no config.json" in str(export_error("owner/data"))
    hub.publish("owner/pickles", {"config.json": b"{}", "pytorch_model.bin": b"..."})
    assert "safetensors" in str(export_error("owner/pickles"))
    assert not [request for request in hub.requests if "/resolve/" in request.path]


def test_without_a_network_the_hub_is_named(empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")

    assert "cannot be reached" in str(export_error("owner/name"))
