/** The arguments of the server's commands. Positions are LSP's: lines and UTF-16 units from 0. */

export interface Position {
  readonly line: number;
  readonly character: number;
}

export interface Range {
  readonly start: Position;
  readonly end: Position;
}

/** The server's commands. */
export const COMMANDS = {
  rewrite: "dgemma.rewrite",
  fillHoles: "dgemma.fillHoles",
  fixDocument: "dgemma.fixDocument",
  cancelAll: "dgemma.cancelAll",
} as const;

/** A document as it was when the user asked: the server refuses to edit any other. */
export interface Subject {
  readonly uri: string;
  readonly version: number;
}

/** Make the argument of `dgemma.rewrite`; an empty instruction is none. */
export function rewriteArgument(subject: Subject, range: Range, strength: number, instruction: string): object {
  const words = instruction.trim();
  return { ...subject, range, strength, ...(words === "" ? {} : { instruction: words }) };
}

/** Make the argument of `dgemma.fillHoles`: cursors are positions, if all of them are. */
export function holesArgument(subject: Subject, selections: readonly Range[]): object {
  const ranges = selections.map(({ start, end }) => ({ start, end }));
  return ranges.every(isEmpty) ? { ...subject, positions: ranges.map((it) => it.start) } : { ...subject, ranges };
}

/** Strengths to choose from, named as the server's code actions; the one in force first. */
export function strengths(current: number): { readonly label: string; readonly value: number }[] {
  const named = [
    { label: "Mend", value: 0.15 },
    { label: "Polish", value: 0.4 },
    { label: "Rewrite", value: 0.7 },
    { label: "Replace", value: 1 },
  ];
  const known = named.find((it) => it.value === current) ?? { label: "As set", value: current };
  return [known, ...named.filter((it) => it.value !== current)];
}

function isEmpty(range: Range): boolean {
  return range.start.line === range.end.line && range.start.character === range.end.character;
}
