from __future__ import annotations

import socket
from pathlib import Path

import pytest
from huggingface_hub import hf_hub_download

from phial import __version__
from phial.errors import ChecksumMismatch, DiskFull, DownloadError, ModelError
from phial.models import hub as product
from phial.models import manifest, snapshot, store
from phial.models.progress import Progress
from phial.models.snapshot import Patience, Snapshot
from phial.models.store import Model
from support.hub import INFO, Fault, Hub, Refusal
from support.processes import python
from support.stored import ENTRY, NEEDED, PUBLISHED, names, repository_of

REPOSITORY = repository_of(ENTRY)
HURRIED = Patience(answer=0.5, pauses=(0.0, 0.0))
LARGE = "openvino_model.bin"
SMALL = "config.json"


def pull(seen: list[Progress] | None = None) -> Model:
    return product.pull(ENTRY, (seen if seen is not None else []).append, HURRIED)


def find(revision: str = "main") -> Snapshot:
    return snapshot.find(REPOSITORY, {SMALL}.__contains__, HURRIED, revision=revision)


def downloads(store_folder: Path) -> list[str]:
    folder = store_folder / ".downloads"
    return sorted(file.name for file in folder.rglob("*") if file.is_file())


def test_a_published_model_is_installed_and_nothing_else_stays(hub: Hub, empty_store: Path) -> None:
    commit = hub.publish(REPOSITORY, PUBLISHED)

    model = pull()

    assert model == Model(ENTRY.id, ENTRY.title, empty_store / ENTRY.id, ENTRY.context_length, starter=False)
    assert store.installed() == [model]
    assert store.verify(ENTRY.id) == []
    assert names(model.folder) == sorted([*NEEDED, manifest.FILE_NAME])
    assert {name: (model.folder / name).read_bytes() for name in NEEDED} == NEEDED
    assert downloads(empty_store) == []
    content = manifest.read(model.folder)
    assert content
    assert (content.source, content.licence) == (f"{REPOSITORY}@{commit}", ENTRY.licence)
    assert content.files.keys() == NEEDED.keys()


def test_progress_counts_the_bytes_of_all_files(hub: Hub) -> None:
    seen: list[Progress] = []
    total = sum(map(len, NEEDED.values()))

    pull(seen)

    stages = list(dict.fromkeys(progress.stage for progress in seen))
    assert stages == ["finding", "waiting", "downloading", "installing"]
    downloading = [progress for progress in seen if progress.stage == "downloading"]
    assert {progress.total for progress in downloading} == {total}
    done = [progress.done for progress in downloading]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0, total)


def test_the_librarys_own_download_understands_the_hub_of_these_tests(hub: Hub, tmp_path: Path) -> None:
    for name in (LARGE, SMALL):
        file = hf_hub_download(REPOSITORY, name, endpoint=hub.url, local_dir=tmp_path / "own")
        assert Path(file).read_bytes() == PUBLISHED[name]


def test_all_files_are_of_the_commit_that_the_pull_began_with(hub: Hub) -> None:
    newer = {name: content + b" newer" for name, content in PUBLISHED.items()}

    def publish_newer(name: str) -> None:
        hub.asked = lambda _: None
        hub.publish(REPOSITORY, newer)

    hub.asked = publish_newer
    folder = pull().folder

    assert {name: (folder / name).read_bytes() for name in NEEDED} == NEEDED


def test_what_is_installed_needs_no_network(hub: Hub) -> None:
    model = pull()
    hub.requests.clear()

    assert pull() == model
    assert hub.requests == []


def test_an_incomplete_model_is_fetched_again(hub: Hub) -> None:
    (pull().folder / LARGE).unlink()

    pull()

    assert store.verify(ENTRY.id) == []


@pytest.mark.parametrize(
    ("faults", "asked"),
    [
        pytest.param(["cut"], [None, "bytes=256000-"], id="cut"),
        pytest.param(["cut", "cut"], [None, "bytes=256000-", "bytes=384000-"], id="cut twice"),
        pytest.param(["stall"], [None, "bytes=256000-"], id="stalled body"),
        pytest.param(["silence"], [None, None], id="no answer"),
        pytest.param(["cut", "no range"], [None, "bytes=256000-"], id="range ignored"),
    ],
)
def test_a_broken_connection_is_taken_up_again(
    hub: Hub, faults: list[Fault], asked: list[str | None]
) -> None:
    hub.faults[LARGE] = faults

    pull()

    assert store.verify(ENTRY.id) == []
    at_the_hub = [request for request in hub.requests if "resolve" in request.path]
    assert [request.headers.get("Range") for request in at_the_hub if LARGE in request.path] == asked


def test_a_pull_that_failed_goes_on_where_it_stopped(hub: Hub, empty_store: Path) -> None:
    hub.faults[LARGE] = ["cut", Refusal(503)]
    with pytest.raises(DownloadError, match=r"503.*goes on where it stopped"):
        pull()
    assert store.installed() == []
    assert f"{LARGE}.part" in downloads(empty_store)
    hub.requests.clear()
    seen: list[Progress] = []

    pull(seen)

    assert set(hub.bytes_asked_for(LARGE)) == {"bytes=256000-"}
    assert {Path(request.path).name for request in hub.requests} == {"main", LARGE}
    first = next(progress for progress in seen if progress.stage == "downloading")
    assert first.done > 0


def test_what_arrived_of_an_older_commit_is_dropped(hub: Hub, empty_store: Path) -> None:
    hub.faults[LARGE] = [Refusal(503)]
    with pytest.raises(DownloadError):
        pull()
    hub.faults[LARGE] = [Refusal(503)]
    newer = hub.publish(REPOSITORY, {**PUBLISHED, SMALL: b'{"newer": true}'})
    with pytest.raises(DownloadError):
        pull()

    assert names(empty_store / ".downloads" / ENTRY.id) == [newer]
    assert (pull().folder / SMALL).read_bytes() == b'{"newer": true}'


@pytest.mark.parametrize("name", [LARGE, SMALL])
@pytest.mark.parametrize(
    ("fault", "words"), [("wrong content", "not the file"), ("wrong size", "another file: it has")]
)
def test_another_file_than_published_is_never_installed(
    hub: Hub, empty_store: Path, name: str, fault: Fault, words: str
) -> None:
    hub.faults[name] = [fault]

    with pytest.raises(ChecksumMismatch, match=rf"{words}.*Run the same command again.*HF_ENDPOINT"):
        pull()

    assert store.installed() == []
    assert name not in downloads(empty_store)
    pull()
    assert store.verify(ENTRY.id) == []


REFUSALS = [
    pytest.param(Refusal(401), "log in.*HF_TOKEN.*hf auth login", id="401"),
    pytest.param(Refusal(401, {"X-Error-Code": "GatedRepo"}), "terms on its page.*HF_TOKEN", id="401 gated"),
    pytest.param(Refusal(403, {"X-Error-Code": "GatedRepo"}), "not open to you.*terms on its page", id="403"),
    pytest.param(Refusal(404), "does not exist.*HF_ENDPOINT", id="404"),
    pytest.param(Refusal(429), "too many requests.*Wait a few minutes", id="429"),
    pytest.param(Refusal(429, {"Retry-After": "90"}), "too many requests.*Wait 90 seconds", id="429, 90 s"),
    pytest.param(Refusal(429, {"Retry-After": "601"}), "Wait 11 minutes and run", id="429, 601 s"),
    pytest.param(Refusal(429, {"RateLimit": '"api";r=0;t=55'}), "Wait 55 seconds", id="429, rate limit"),
    pytest.param(Refusal(429, {"Retry-After": "Wed, 21 Oct"}), "Wait a few minutes", id="429, date"),
    pytest.param(Refusal(500), "500.*goes on where it stopped", id="500"),
    pytest.param(Refusal(504), "504.*goes on where it stopped", id="504"),
    pytest.param(Refusal(418), "does not understand", id="418"),
]


@pytest.mark.parametrize(("refusal", "words"), REFUSALS)
@pytest.mark.parametrize("name", [INFO, LARGE])
def test_a_refusal_is_told_with_what_to_do(
    hub: Hub, empty_store: Path, name: str, refusal: Refusal, words: str
) -> None:
    hub.faults[name] = [refusal]

    with pytest.raises(DownloadError, match=words) as caught:
        pull()

    assert REPOSITORY in str(caught.value)
    assert f"(HTTP status {refusal.status})" in str(caught.value)
    assert store.installed() == []
    assert hub.faults[name] == []


def test_a_repository_that_has_gone_is_told(hub: Hub) -> None:
    hub._heads.clear()

    with pytest.raises(DownloadError, match=f"{REPOSITORY}.*does not exist.*pip install --upgrade"):
        pull()


def test_a_revision_that_is_not_there_is_told(hub: Hub) -> None:
    with pytest.raises(DownloadError, match=r"tree/v9 does not exist"):
        find(revision="v9")


def test_a_revision_means_a_commit(hub: Hub) -> None:
    older = hub.publish(REPOSITORY, PUBLISHED)
    newer = hub.publish(REPOSITORY, {**PUBLISHED, SMALL: b"{}"})

    assert find().commit == newer
    assert find(revision=older).commit == older
    assert [file.name for file in find().files] == [SMALL]


def test_without_a_network_it_says_so(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{unused.getsockname()[1]}")

        with pytest.raises(DownloadError, match=r"no network.*HF_ENDPOINT.*run the same command again"):
            pull()


@pytest.mark.parametrize("name", [INFO, LARGE])
def test_a_hub_that_stops_sending_is_told(hub: Hub, empty_store: Path, name: str) -> None:
    hub.faults[name] = ["silence"] * 9

    with pytest.raises(DownloadError, match=r"stopped sending.*run the same command again"):
        pull()

    assert store.installed() == []


@pytest.mark.parametrize("endpoint", ["models", "ftp://models.example", "http://host:port", "http://"])
def test_an_endpoint_that_is_no_http_address_is_told(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, endpoint: str
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", endpoint)

    with pytest.raises(DownloadError, match=r"HF_ENDPOINT is not an HTTP address"):
        pull()


@pytest.mark.parametrize(
    "body",
    [b"<html>Sign in</html>", b"[]", b"{}", b'{"id": 1}', b'{"id": "x", "sha": "../..", "siblings": []}'],
)
def test_what_answers_like_no_hub_is_told(hub: Hub, body: bytes) -> None:
    hub.faults[INFO] = [Refusal(200, body=body)]

    with pytest.raises(DownloadError, match=r"did not answer as a hub does.*sign-in page"):
        pull()


@pytest.mark.parametrize("lie", [{"size": None}, {"blobId": None}, {"size": "12"}], ids=repr)
def test_a_file_of_unknown_size_or_checksum_is_not_fetched(hub: Hub, lie: dict[str, object]) -> None:
    hub.lies[SMALL] = lie

    with pytest.raises(DownloadError, match="did not answer as a hub does"):
        pull()


def test_a_disk_too_small_is_told_before_anything_is_fetched(hub: Hub) -> None:
    hub.lies[LARGE] = {"lfs": {"sha256": "00" * 32, "size": 10**18, "pointerSize": 134}}

    with pytest.raises(DiskFull, match=r"1,000,000,000,\d+ MB.*PHIAL_HOME"):
        pull()

    assert [request.path for request in hub.requests if "resolve" in request.path] == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no device that is always full")
def test_a_disk_that_fills_up_is_told(hub: Hub, empty_store: Path) -> None:
    commit = hub.publish(REPOSITORY, PUBLISHED)
    folder = empty_store / ".downloads" / ENTRY.id / commit
    folder.mkdir(parents=True)
    (folder / f"{LARGE}.part").symlink_to("/dev/full")

    with pytest.raises(DiskFull, match=r"full.*Free some space"):
        pull()

    assert store.installed() == []


@pytest.mark.parametrize(
    "name", ["../openvino_model.bin", "openvino_/../x.bin", "openvino_x\\..\\y.bin", "a/b.xml"]
)
def test_a_name_that_leads_elsewhere_is_passed_over(hub: Hub, name: str) -> None:
    hub.publish(REPOSITORY, {**PUBLISHED, name: b"elsewhere"})

    folder = pull().folder

    assert names(folder) == sorted([*NEEDED, manifest.FILE_NAME])
    everything = snapshot.find(REPOSITORY, lambda _: True, HURRIED)
    assert {file.name for file in everything.files} == {"README.md", "modeling.py", *NEEDED}


@pytest.mark.parametrize("missing", ["openvino_model.bin", "openvino_tokenizer.xml"])
def test_a_repository_without_an_openvino_model_is_told_before_anything_is_fetched(
    hub: Hub, missing: str
) -> None:
    hub.publish(REPOSITORY, {name: content for name, content in PUBLISHED.items() if name != missing})

    with pytest.raises(ModelError, match=rf"{REPOSITORY} holds no OpenVINO model: it has no {missing}"):
        pull()

    assert [request.path for request in hub.requests if "resolve" in request.path] == []


def test_a_token_goes_to_the_hub_and_to_no_other_server(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")

    pull()

    tokens = {
        port: {request.headers.get("Authorization") for request in hub.requests if request.port == port}
        for port in {request.port for request in hub.requests}
    }
    assert sorted(tokens.values(), key=str) == [{"Bearer hf_secret"}, {None}]
    assert "hf_secret" not in repr(find())


def test_the_hub_is_told_nothing_but_what_phial_wants(hub: Hub) -> None:
    code = f"from phial.models.pull import pull; pull({ENTRY.id!r}, lambda _: None)"

    with python(code) as process:
        assert process.communicate()[0] == ""

    kinds = {request.path.split("/")[1] for request in hub.requests if "resolve" not in request.path}
    assert kinds == {"api", "large"}
    assert [request.path for request in hub.requests if "/api/" in request.path] == [
        f"/api/models/{REPOSITORY}/revision/main"
    ]
    assert {request.headers["User-Agent"] for request in hub.requests} == {f"phial/{__version__}"}


def test_a_proxy_is_used(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", hub.url)
    monkeypatch.setenv("HF_ENDPOINT", "http://models.example")

    pull()

    assert {request.headers["Host"] for request in hub.requests if "/api/" in request.path} == {
        "models.example"
    }


def test_offline_mode_is_told(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    code = f"from phial.models.pull import pull; pull({ENTRY.id!r}, print)"

    with python(code) as process:
        printed, _ = process.communicate()

    assert "HF_HUB_OFFLINE keeps the hub out of reach. Unset it" in printed
    assert hub.requests == []
