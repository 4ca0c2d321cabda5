"""The model host. Importing OpenVINO would report that to an analytics service: not here.

It asks for the package `openvino_telemetry` and does without where that cannot be imported.
"""

import sys

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type] # how Python marks what must not be imported
