import { describe, expect, it } from "vitest";
import { deviceChoices, modelChoices } from "../../src/modelChoices";
import type { ModelEntry } from "../../src/protocol";

const starter: ModelEntry = {
  id: "starter",
  title: "Starter",
  obtain: "installed",
  inUse: true,
  memoryBytes: 4e8,
};
const phi: ModelEntry = {
  id: "phi",
  title: "Phi-3",
  obtain: "pull",
  downloadBytes: 2.3e9,
  memoryBytes: 5.2e9,
  fits: false,
  device: "GPU",
  licence: "MIT",
  note: "The default.",
};
const qwen: ModelEntry = { id: "qwen", title: "Qwen", obtain: "export", device: "NPU" };

describe("the model picker", () => {
  it("has what is installed first, then by how hard a model is to get", () => {
    expect(modelChoices([qwen, phi, starter]).map((row) => row.label)).toEqual([
      "Installed",
      "$(check) Starter",
      "To download",
      "Phi-3",
      "To export on this machine",
      "Qwen",
    ]);
  });

  it("has no heading without a model", () => {
    expect(modelChoices([])).toEqual([]);
  });

  it("says what a model needs", () => {
    const row = modelChoices([phi])[1];
    expect(row).toMatchObject({
      description:
        "2.3 GB to download · needs 5.2 GB of memory · $(warning) does not fit into what is free now",
      detail: "suits a GPU · MIT · The default.",
    });
    expect(modelChoices([qwen])[1]).toMatchObject({ description: "", detail: "suits an NPU" });
    expect(modelChoices([starter])[1]).toMatchObject({ description: "needs 400 MB of memory" });
  });
});

describe("the device picker", () => {
  it("marks what is chosen and says what that means now", () => {
    const rows = deviceChoices("AUTO", { state: "ready", message: "", device: "CPU" });
    expect(rows.map((row) => row.label)).toEqual(["AUTO", "CPU", "GPU", "NPU"]);
    expect(rows[0]).toMatchObject({ description: "chosen", detail: expect.stringMatching(/Now: CPU\.$/) });
    expect(rows[1]?.description).toBe("");
  });

  it("keeps a device that the user has named", () => {
    expect(deviceChoices("GPU.1", { state: "off", message: "" }).at(-1)).toMatchObject({
      label: "GPU.1",
      description: "chosen",
    });
  });
});
