import assert from "node:assert/strict";
import { test } from "node:test";
import { difference, drawn } from "../src/difference";

test("only the words that differ are drawn", () => {
  assert.deepEqual(difference("total = count + 1", "total = number + 1"), { start: 8, end: 13, text: "number" });
  assert.deepEqual(difference("items", "item"), { start: 0, end: 5, text: "item" });
});

test("what is put in, and what is taken out, has nothing to stand against", () => {
  assert.deepEqual(difference("f(a)", "f(a, b)"), { start: 3, end: 3, text: ", b" });
  assert.deepEqual(difference("f(a, b)", "f(a)"), { start: 3, end: 6, text: "" });
});

test("the same text has no difference", () => {
  assert.deepEqual(difference("same", "same"), { start: 4, end: 4, text: "" });
});

test("putting the difference in place of the old piece always gives the new text", () => {
  const pieces = ["", "a", "ab", "a b", "ab ab", "aba", "x😀y", "x😁y", "😀", "é e\u0301", "a\r\nb", "a\nb"];
  for (const old of pieces) {
    for (const now of pieces) {
      const { start, end, text } = difference(old, now);
      assert.ok(0 <= start && start <= end && end <= old.length, `${old} | ${now}`);
      assert.equal(old.slice(0, start) + text + old.slice(end), now);
      assert.ok(!/[\uDC00-\uDFFF]/.test(old.charAt(start)), `${old} | ${now}`);
    }
  }
});

test("several lines are drawn as one, and not without end", () => {
  assert.equal(drawn("a\r\nb\nc"), "a⏎b⏎c");
  assert.equal(drawn("x".repeat(500)).length, 101);
});
