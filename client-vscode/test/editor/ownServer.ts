/** An OpenAI-compatible server of the user's own, which answers everything with one text. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** Serve until the test ends; return the settings that have Phial use it. */
export async function serveAnswers(text: string): Promise<Record<string, unknown>> {
  const server = createServer((request, response) => {
    request.resume();
    if (request.url === "/v1/models") {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ object: "list", data: [{ id: "scripted", object: "model" }] }));
      return;
    }
    response.setHeader("content-type", "text/event-stream");
    for (const piece of text.match(/.{1,20}/gs) ?? []) {
      response.write(event({ choices: [{ index: 0, delta: { content: piece } }] }));
    }
    response.write(event({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }));
    response.end("data: [DONE]\n\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { "phial.engine.url": `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function event(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}
