import { expect, test } from "vitest";
import { explainFailure, pipStep } from "../../src/pipOutput";

const python = { executable: "/usr/bin/python3", version: "3.12" };

test.each([
  [
    "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
    /no space left/,
  ],
  [
    "Failed to establish a new connection: [Errno -3] Temporary failure in name resolution\n" +
      "ERROR: No matching distribution found for openvino>=2026.4",
    /cannot be reached/,
  ],
  ["SSLError(SSLCertVerificationError(1, 'CERTIFICATE_VERIFY_FAILED'))", /does not trust/],
  [
    "The virtual environment was not created because ensurepip is not available.",
    /apt install python3\.12-venv/,
  ],
  ["ERROR: No matching distribution found for openvino>=2026.4", /no openvino that works with Python 3\.12/],
  ["Error: [Errno 13] Permission denied: '/s/server'", /\/s\/server cannot be written to/],
  ["warning\nERROR: something else\n[notice] a new pip", /pip says: ERROR: something else/],
])("a failure is explained: %s", (output, expected) => {
  expect(explainFailure(output, python, "/s/server")).toMatch(expected);
});

test.each([
  ["Collecting pygls<3,>=2.1 (from phial-ls==0.1.0)", "Looking for pygls"],
  [
    "  Downloading openvino-2026.4.1-cp312-manylinux_2_28_x86_64.whl (50.5 MB)",
    "Downloading openvino, 50.5 MB",
  ],
  [
    "  Downloading https://host/a/b/huggingface_hub-1.0-py3-none-any.whl.metadata (10 kB)",
    "Downloading huggingface_hub, 10 kB",
  ],
  ["Installing collected packages: a, b", "Installing the packages"],
  ["Requirement already satisfied: pip", undefined],
])("a line of pip's is progress: %s", (line, expected) => {
  expect(pipStep(line)).toBe(expected);
});
