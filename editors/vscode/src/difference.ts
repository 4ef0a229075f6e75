/** What differs between two texts, for drawing. Knows no editor. */

/** `text` stands in place of the characters from `start` to `end` of the old text. */
export interface Difference {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const MOST_DRAWN = 100;

/** Give the smallest piece that differs, as whole words: half a word struck out cannot be read. */
export function difference(old: string, now: string): Difference {
  const shorter = Math.min(old.length, now.length);
  let before = 0;
  while (before < shorter && old[before] === now[before]) {
    before += 1;
  }
  let after = 0;
  while (after < shorter - before && old.at(-1 - after) === now.at(-1 - after)) {
    after += 1;
  }
  const isCut = (at: number): boolean => inWord(old, at) || inWord(now, at + now.length - old.length);
  while (before > 0 && (inWord(old, before) || inWord(now, before))) {
    before -= 1;
  }
  while (after > 0 && isCut(old.length - after)) {
    after -= 1;
  }
  return { start: before, end: old.length - after, text: now.slice(before, now.length - after) };
}

/** Give a text as one line, as long as fits beside code. */
export function drawn(text: string): string {
  const line = text.replace(/\r\n|\r|\n/g, "⏎");
  return line.length > MOST_DRAWN ? `${line.slice(0, MOST_DRAWN)}…` : line;
}

/** Tell whether a place lies between two characters of a word, or of a pair of surrogates. */
function inWord(text: string, at: number): boolean {
  return at > 0 && at < text.length && isPart(text.charAt(at - 1)) && isPart(text.charAt(at));
}

function isPart(character: string): boolean {
  return /[\p{L}\p{N}_\p{M}\uD800-\uDFFF]/u.test(character);
}
