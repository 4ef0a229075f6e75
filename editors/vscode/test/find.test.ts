import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { candidates, onPath, type World } from "../src/find";

function world(files: readonly string[], changes: Partial<World> = {}): World {
  return {
    setting: "",
    env: { PATH: "/usr/bin:/opt/bin" },
    windows: false,
    home: "/home/me",
    interpreter: undefined,
    ownEnvironment: "/storage/environment",
    isProgram: (file) => files.includes(file),
    ...changes,
  };
}

const EVERYWHERE = [
  "/opt/bin/dgemma-ls",
  "/venv/bin/python3.12",
  "/home/me/.local/bin/dgemma-ls",
  "/storage/environment/bin/dgemma-ls",
];

test("every place is looked at, the PATH first and our own environment last", () => {
  const found = candidates(world(EVERYWHERE, { interpreter: "/venv/bin/python3.12" }));
  assert.deepEqual(found.map((it) => it.program), EVERYWHERE);
});

test("a program that the user names is the only one, even if it is not there", () => {
  const found = candidates(world(EVERYWHERE, { setting: "/elsewhere/dgemma-ls" }));
  assert.deepEqual(found, [{ program: "/elsewhere/dgemma-ls", prefix: [], origin: "the setting dgemma.path" }]);
});

test("a tilde means the home folder", () => {
  assert.equal(candidates(world([], { setting: "~/bin/dgemma-ls" }))[0]?.program, path.join("/home/me", "bin/dgemma-ls"));
});

for (const python of ["/v/bin/python", "/v/bin/python3", "/v/bin/python3.13", "/v/bin/pypy3", "/v/Python.exe"]) {
  test(`${python} runs our module, and never one of the current folder`, () => {
    assert.deepEqual(candidates(world([], { setting: python }))[0]?.prefix, ["-P", "-m", "dgemma_ls"]);
  });
}

test("a relative folder on the PATH is not looked at, as it would be the workspace", () => {
  const all = world([], { env: { PATH: ".:bin::/usr/bin" }, isProgram: () => true });
  assert.deepEqual(candidates(all).map((it) => it.program), [
    "/usr/bin/dgemma-ls",
    "/home/me/.local/bin/dgemma-ls",
    "/storage/environment/bin/dgemma-ls",
  ]);
});

test("the folders that uv and pipx are told to use come before their default", () => {
  const env = { UV_TOOL_BIN_DIR: "/uv", PIPX_BIN_DIR: "/pipx" };
  const found = candidates(world(["/pipx/dgemma-ls", "/uv/dgemma-ls"], { env }));
  assert.deepEqual(found.map((it) => it.program), ["/uv/dgemma-ls", "/pipx/dgemma-ls"]);
});

test("a place that is named twice is tried once", () => {
  const env = { PATH: "/home/me/.local/bin:/home/me/.local/bin" };
  assert.equal(candidates(world(["/home/me/.local/bin/dgemma-ls"], { env })).length, 1);
});

test("Windows has other names", () => {
  const env = { Path: "/tools" };
  const files = ["/tools/dgemma-ls.exe", "/storage/environment/Scripts/dgemma-ls.exe"];
  assert.deepEqual(candidates(world(files, { env, windows: true })).map((it) => it.program), files);
});

test("a program is found in the first folder that has it", () => {
  assert.equal(onPath("uv", world(["/opt/bin/uv"])), "/opt/bin/uv");
  assert.equal(onPath("uv", world([])), undefined);
});
