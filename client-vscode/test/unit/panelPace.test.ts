// @vitest-environment jsdom
/// <reference lib="dom" />
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Pace } from "../../webview/pace";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "performance", "requestAnimationFrame"] });
});

afterEach(() => {
  vi.useRealTimers();
});

it("works once per frame, however often it is asked", () => {
  const work = vi.fn();
  const pace = new Pace(work);
  for (let time = 0; time < 10; time += 1) pace.request();
  expect(work).not.toHaveBeenCalled();
  vi.advanceTimersToNextFrame();
  expect(work).toHaveBeenCalledTimes(1);
  vi.advanceTimersToNextFrame();
  expect(work).toHaveBeenCalledTimes(1);
});

it("rests after work that took long", () => {
  const work = vi.fn(() => vi.advanceTimersByTime(100));
  const pace = new Pace(work);
  pace.request();
  vi.advanceTimersToNextFrame();
  pace.request();
  vi.advanceTimersByTime(390);
  expect(work).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(50);
  expect(work).toHaveBeenCalledTimes(2);
});
