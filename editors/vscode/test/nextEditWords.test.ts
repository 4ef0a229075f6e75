import assert from "node:assert/strict";
import { test } from "node:test";
import { nextEditWords } from "../src/nextEditWords";

const there = { line: 3, isHere: false, old: "old_name", now: "new_name" };

test("it is said where it is, what it changes, and what the keys do", () => {
  const { text, label } = nextEditWords(there);
  assert.equal(label, "Next edit in line 3: old_name becomes new_name. Tab goes there, Escape dismisses it.");
  assert.equal(text, "next edit in line 3: Tab goes there, Esc dismisses");
});

test("where the cursor is there already, Tab makes it", () => {
  const { text, label } = nextEditWords({ ...there, isHere: true });
  assert.match(label, /Tab makes it/);
  assert.match(text, /Tab makes it/);
});

test("what only adds or takes away is said so", () => {
  assert.match(nextEditWords({ ...there, old: "" }).label, /: insert new_name\./);
  assert.match(nextEditWords({ ...there, now: "" }).label, /: delete old_name\./);
});
