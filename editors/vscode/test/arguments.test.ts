import assert from "node:assert/strict";
import { test } from "node:test";
import { holesArgument, rewriteArgument, strengths } from "../src/arguments";

const at = (line: number, character: number) => ({ line, character });
const cursor = (line: number, character: number) => ({ start: at(line, character), end: at(line, character) });
const A = { uri: "file:///a", version: 7 };
const word = { start: at(3, 1), end: at(3, 5) };

test("cursors are positions", () => {
  assert.deepEqual(holesArgument(A, [cursor(1, 2), cursor(3, 4)]), {
    ...A,
    positions: [at(1, 2), at(3, 4)],
  });
});

test("with one selection among them all are ranges, in the same order", () => {
  assert.deepEqual(holesArgument(A, [cursor(1, 2), word]), { ...A, ranges: [cursor(1, 2), word] });
});

test("an instruction of blanks is none", () => {
  assert.deepEqual(rewriteArgument(A, word, 0.5, "  "), { ...A, range: word, strength: 0.5 });
  assert.deepEqual(rewriteArgument(A, word, 1, " shorter "), { ...A, range: word, strength: 1, instruction: "shorter" });
});

test("the strength in force comes first, and each is there once", () => {
  assert.deepEqual(strengths(0.7).map((it) => it.value), [0.7, 0.15, 0.4, 1]);
  assert.deepEqual(strengths(0.3).map((it) => it.value), [0.3, 0.15, 0.4, 0.7, 1]);
});
