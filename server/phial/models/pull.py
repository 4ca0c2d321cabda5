"""Fetch a model of the catalog, wherever it comes from."""

from __future__ import annotations

from phial.errors import ModelNotFound, UsageError
from phial.models import catalog, hub, starter
from phial.models.progress import Told
from phial.models.store import Model


def pull(model_id: str, progress: Told) -> Model:
    """Install a model by its id, or return it at once where it is installed already.

    Raises ModelNotFound, UsageError where nobody has published it ready-made, DownloadError or ModelError.
    """
    entry = catalog.find(model_id)
    if entry is None:
        raise ModelNotFound(f"There is no model {model_id} to fetch.")
    if entry.starter:
        return starter.pull_starter(progress)
    if entry.ready_made is None:
        raise UsageError(
            f"{entry.title} is not published ready-made for OpenVINO.",
            advice=f"Run `phial models export {entry.source}` to make it here.",
        )
    return hub.pull(entry, progress)
