import assert from "node:assert/strict";
import { test } from "node:test";
import { Deaths, MAX_RESTARTS } from "../src/deaths";

test("a server that dies comes back a few times within a minute", () => {
  const deaths = new Deaths();
  for (let n = 0; n < MAX_RESTARTS; n++) {
    assert.ok(deaths.note(n * 1000));
  }
  assert.ok(!deaths.note(10_000));
});

test("one that dies now and then always comes back", () => {
  const deaths = new Deaths();
  for (let minute = 0; minute < 100; minute++) {
    assert.ok(deaths.note(minute * 30_000));
  }
});

test("the user's own restart starts the count anew", () => {
  const deaths = new Deaths();
  for (let n = 0; n < 10; n++) {
    deaths.note(n);
  }
  deaths.forget();
  assert.ok(deaths.note(11));
});
