import assert from "node:assert/strict";
import { test } from "node:test";
import { configurationSection, initializationOptions } from "../src/options";

const VALUES: Readonly<Record<string, unknown>> = { model: "/m", device: "cpu", n_candidates: 2, path: "/p", strength: 1 };
const read = (name: string): unknown => VALUES[name];
const versions = { editor: "1.0", extension: "0.1" };

test("the server gets its settings, and not those of the extension", () => {
  const options = initializationOptions(read, true, versions);
  assert.equal(options.model, "/m");
  assert.equal(options.n_candidates, 2);
  assert.equal(options.trusted, true);
  for (const name of ["path", "strength", "debounce_ms"]) {
    assert.ok(!(name in options), name);
  }
});

test("a workspace that nobody trusts does not say what is loaded", () => {
  const options = initializationOptions(read, false, versions);
  assert.ok(!("model" in options) && !("device" in options));
  assert.equal(options.trusted, false);
  assert.equal(options.n_candidates, 2);
});

test("the editor introduces itself, so that the server reports its status", () => {
  const options = initializationOptions(read, true, versions);
  assert.deepEqual(options.editorInfo, { name: "Visual Studio Code", version: "1.0" });
});

test("the configuration has only what may change while the server runs", () => {
  assert.deepEqual(configurationSection(read), { n_candidates: 2 });
});
