"""Every error that a user can meet, each with what to do about it.

* PhialError
  x UsageError
  x ModelError
    + ModelNotFound
      - NoModel
    + ModelBroken
    + OutOfMemory
  x DeviceError
  x PromptTooLong
  x EngineError
    + EngineUnreachable
    + EngineRefused
    + HostLost
    + HostFailed
  x DownloadError
    + ChecksumMismatch
    + DiskFull

`str(error)` is one or two sentences: what went wrong, then the next step.
"""

from __future__ import annotations

from typing import ClassVar


class PhialError(Exception):
    """Base of all errors that are told to the user instead of shown as a traceback."""

    code: ClassVar[str] = "phial_error"
    advice: ClassVar[str] = ""

    def __init__(self, message: str, *, advice: str | None = None) -> None:
        self.message = message
        self.next_step = self.advice if advice is None else advice
        super().__init__(f"{message} {self.next_step}".strip())


class UsageError(PhialError):
    """The request itself is wrong; repeating it will not help."""

    code = "invalid_request"


class ModelError(PhialError):
    """The model cannot be used."""

    code = "model_error"


class ModelNotFound(ModelError):
    """No model of that name or at that path."""

    code = "model_not_found"
    advice = "Run `phial models list` to see what there is."


class NoModel(ModelNotFound):
    """No model was named, and none is installed."""

    code = "no_model"
    advice = "Run `phial models pull starter` to fetch the small starter model."


class ModelBroken(ModelError):
    """The model's folder is there but cannot be loaded."""

    code = "model_broken"
    advice = "Remove the folder and fetch the model again, or choose another with `phial.model`."


class OutOfMemory(ModelError):
    """The machine has too little free memory for this model."""

    code = "out_of_memory"
    advice = "Close other programs, or choose a smaller model or context with `phial.model`."


class DeviceError(PhialError):
    """The device is not there or cannot run the model."""

    code = "device_error"
    advice = "Set `phial.device` to AUTO, or run `phial doctor` to see which devices there are."


class PromptTooLong(PhialError):
    """The prompt does not fit the model's context."""

    code = "context_length_exceeded"
    advice = "Select less code or ask a shorter question."


class EngineError(PhialError):
    """The engine did not answer as it should."""

    code = "engine_error"
    advice = "Try again; if it stays, look at `phial doctor`."


class EngineUnreachable(EngineError):
    """Nothing listens at the engine's address."""

    code = "engine_unreachable"
    advice = "Check `phial.engine.url`, and that the server there is running."


class EngineRefused(EngineError):
    """The engine understood the request and said no."""

    code = "engine_refused"
    advice = ""


class HostLost(EngineError):
    """The local model host went away in the middle of an answer."""

    code = "host_lost"
    advice = "Phial starts it again by itself: ask again in a moment."


class HostFailed(EngineError):
    """The local model host could not be started."""

    code = "host_failed"
    advice = "Run `phial doctor` to see what is wrong."


class DownloadError(PhialError):
    """A download did not finish."""

    code = "download_failed"
    advice = "Check the network and run the same command again: it goes on where it stopped."


class ChecksumMismatch(DownloadError):
    """What arrived is not what was published."""

    code = "checksum_mismatch"
    advice = (
        "It was deleted. Run the same command again; if it stays, your package index serves another file."
    )


class DiskFull(DownloadError):
    """Not enough free disk space."""

    code = "disk_full"
    advice = "Free some space, or set PHIAL_HOME to a folder on another disk, and run the same command again."


def from_wire(code: object, message: str) -> PhialError:
    """Return the error that a host sent as a code and a message, advice included."""
    kinds = (kind for kind in _all_kinds(PhialError) if kind.code == code)
    return next(kinds, EngineRefused)(message, advice="")


def _all_kinds(kind: type[PhialError]) -> list[type[PhialError]]:
    return [kind, *(below for child in kind.__subclasses__() for below in _all_kinds(child))]
