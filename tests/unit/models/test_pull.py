from __future__ import annotations

from dataclasses import replace

import pytest

from phial.errors import ModelNotFound, UsageError
from phial.models import catalog, store
from phial.models.progress import Progress
from phial.models.pull import pull
from support.hub import Hub
from support.stored import ENTRY


def silent(_: Progress) -> None:
    pass


def test_a_model_is_fetched_by_its_id(hub: Hub) -> None:
    assert pull(ENTRY.id, silent) == store.find_installed(ENTRY.id)


def test_an_unknown_model_is_told(hub: Hub) -> None:
    with pytest.raises(ModelNotFound, match=r"no model phi-5.*phial models list"):
        pull("phi-5", silent)

    assert hub.requests == []


def test_a_model_that_nobody_has_published_is_to_be_exported(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog, "CATALOG", (replace(ENTRY, ready_made=None),))

    with pytest.raises(UsageError, match=f"phial models export {ENTRY.source}"):
        pull(ENTRY.id, silent)

    assert hub.requests == []
