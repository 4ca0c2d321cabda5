import { describe, expect, it } from "vitest";
import type { StatusResult } from "../../src/protocol";
import { statusView } from "../../src/statusView";

const ready: StatusResult = {
  state: "ready",
  message: "Phi-3 on GPU: it has enough memory.",
  model: "Phi-3",
  device: "GPU",
};

describe("the status bar", () => {
  it.each<[string, StatusResult, string]>([
    ["off", { state: "off", message: "" }, "$(circle-slash) Phial: off"],
    ["starting", { state: "starting", message: "" }, "$(loading~spin) Phial: starting"],
    ["loading", { state: "loading", message: "" }, "$(loading~spin) Phial: loading"],
    [
      "loading, measured",
      { state: "loading", message: "", fraction: 0.404 },
      "$(loading~spin) Phial: loading 40 %",
    ],
    ["failed", { state: "failed", message: "" }, "$(error) Phial: failed"],
    ["ready", ready, "$(beaker) Phial: Phi-3 (GPU)"],
    ["the starter model", { ...ready, starter: true }, "$(beaker) Phial: starter model (GPU)"],
    ["a server of the user's", { state: "ready", message: "" }, "$(beaker) Phial: own server"],
  ])("shows %s", (_, status, text) => {
    expect(statusView(status, 0, true).text).toBe(text);
  });

  it("turns while answers are written, and shows when completions are off", () => {
    expect(statusView(ready, 2, true).text).toBe("$(loading~spin) Phial: Phi-3 (GPU)");
    expect(statusView(ready, 0, false).text).toBe("$(beaker-stop) Phial: Phi-3 (GPU)");
  });

  it("tells more on hovering", () => {
    expect(statusView({ ...ready, tokensPerSecond: 6.25, starter: true }, 0, false).tooltip).toBe(
      "Phi-3 on GPU: it has enough memory.\n\n6.3 tokens/s\n\n" +
        "This is the small starter model. Click to choose a better one.\n\nCompletions are off.",
    );
  });

  it("is coloured by what needs the user", () => {
    expect(statusView(ready, 0, true).severity).toBe("none");
    expect(statusView({ ...ready, starter: true }, 0, true).severity).toBe("warning");
    expect(statusView({ state: "failed", message: "No memory." }, 0, true).severity).toBe("error");
  });
});
