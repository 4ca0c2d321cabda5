"""Which engine the settings mean."""

from __future__ import annotations

import os
from collections.abc import Callable

from phial.engine.base import Status
from phial.engine.client import Endpoint, OpenAIEngine
from phial.engine.local import LocalEngine, Wish
from phial.settings import Settings


def create_engine(settings: Settings, told: Callable[[Status], None]) -> LocalEngine | OpenAIEngine:
    """Return the server at `phial.engine.url` where that is set, else the model host of this machine.

    The key of a server comes from the editor's secret storage or from PHIAL_ENGINE_KEY.
    """
    remote = settings.engine
    if remote.url:
        key = remote.key or os.environ.get("PHIAL_ENGINE_KEY", "")
        return OpenAIEngine(Endpoint(remote.url, key, remote.model), told)
    return LocalEngine(Wish(settings.model, settings.device.upper(), settings.keep_alive), told)
