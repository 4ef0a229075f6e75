import assert from "node:assert/strict";
import { test } from "node:test";
import { view, type Seen } from "../src/view";

function seen(changes: Partial<Seen> = {}): Seen {
  return {
    life: "running",
    status: { kind: "Normal", busy: false, message: "" },
    paused: false,
    offHere: undefined,
    model: undefined,
    device: undefined,
    note: "",
    ...changes,
  };
}

test("a server that waits is ready, and says with what", () => {
  const drawn = view(seen({ model: "embedded", device: "cpu", note: "Server: 0.1.0" }));
  assert.equal(drawn.text, "$(sparkle) dgemma");
  assert.deepEqual(drawn.lines, ["dgemma: ready", "Model: embedded", "Device: cpu", "Server: 0.1.0"]);
  assert.equal(drawn.alarm, "none");
});

test("what it is busy with is said", () => {
  const drawn = view(seen({ status: { kind: "Normal", busy: true, message: "Loading the model." } }));
  assert.equal(drawn.text, "$(loading~spin) dgemma");
  assert.equal(drawn.label, "dgemma: Loading the model.");
});

test("a model that cannot be loaded is worse than a pause", () => {
  const drawn = view(seen({ paused: true, status: { kind: "Error", busy: false, message: "No such folder." } }));
  assert.equal(drawn.alarm, "error");
  assert.equal(drawn.label, "dgemma: No such folder.");
});

test("inactive has a reason", () => {
  assert.equal(view(seen({ status: { kind: "Inactive", busy: false, message: "a secret" } })).label, "dgemma: inactive: a secret");
  assert.equal(view(seen({ offHere: "off for plaintext" })).label, "dgemma: inactive: off for plaintext");
});

for (const [life, alarm] of [["starting", "none"], ["stopped", "none"], ["missing", "warning"], ["failed", "error"]] as const) {
  test(`a server that is ${life} says so whatever it said before`, () => {
    const drawn = view(seen({ life, paused: true }));
    assert.equal(drawn.alarm, alarm);
    assert.notEqual(drawn.label, "dgemma: ready");
  });
}

test("a screen reader hears words, not icons", () => {
  for (const paused of [true, false]) {
    assert.doesNotMatch(view(seen({ paused })).label, /\$\(/);
  }
});
