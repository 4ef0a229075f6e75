import assert from "node:assert/strict";
import { test } from "node:test";
import { installPlan, shown } from "../src/plan";

test("uv is used where it is there", () => {
  const plan = installPlan({ uv: "/bin/uv", python: "/bin/python3" }, "/s/environment", false) ?? [];
  assert.deepEqual(plan.map(shown), [
    '/bin/uv venv --python ">=3.11" /s/environment',
    "/bin/uv pip install --upgrade --python /s/environment/bin/python dgemma-ls",
  ]);
});

test("otherwise Python makes the environment and its own pip installs", () => {
  const plan = installPlan({ uv: undefined, python: "/bin/python3" }, "/s/environment", false) ?? [];
  assert.deepEqual(plan.map(shown), [
    "/bin/python3 -m venv /s/environment",
    "/s/environment/bin/python -m pip install --upgrade dgemma-ls",
  ]);
});

test("without an installer there is no plan", () => {
  assert.equal(installPlan({ uv: undefined, python: undefined }, "/s", false), undefined);
});

test("a folder with a space is shown in quotes", () => {
  assert.equal(shown(["/a b/uv", "venv"]), '"/a b/uv" venv');
});
