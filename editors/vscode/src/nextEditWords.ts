/** What is said of a next edit in the status bar, and to screen readers. Knows no editor. */

/** A next edit that is on screen. */
export interface Said {
  /** From 1. */
  readonly line: number;
  /** Whether the cursor is there, so that Tab makes it. */
  readonly isHere: boolean;
  readonly old: string;
  readonly now: string;
}

/** Give the words to be seen and those to be heard. */
export function nextEditWords({ line, isHere, old, now }: Said): { readonly text: string; readonly label: string } {
  const what = old === "" ? `insert ${now}` : now === "" ? `delete ${old}` : `${old} becomes ${now}`;
  const tab = isHere ? "makes it" : "goes there";
  return {
    text: `next edit in line ${line}: Tab ${tab}, Esc dismisses`,
    label: `Next edit in line ${line}: ${what}. Tab ${tab}, Escape dismisses it.`,
  };
}
