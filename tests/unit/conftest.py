"""How hypothesis runs: a busy machine is no reason to fail."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("phial", deadline=None)
settings.load_profile("phial")
