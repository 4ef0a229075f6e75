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

/** Make the argument of `dgemma.rewrite`; an empty instruction is none. */
export function rewriteArgument(uri: string, range: Range, strength: number, instruction: string): object {
  const words = instruction.trim();
  return { uri, range, strength, ...(words === "" ? {} : { instruction: words }) };
}

/** Make the argument of `dgemma.fillHoles`: cursors are positions, if all of them are. */
export function holesArgument(uri: string, selections: readonly Range[]): object {
  const ranges = selections.map(({ start, end }) => ({ start, end }));
  return ranges.every(isEmpty) ? { uri, positions: ranges.map((it) => it.start) } : { uri, ranges };
}

/** Strengths to choose from, with the one in force first. */
export function strengths(current: number): { readonly label: string; readonly value: number }[] {
  const named = [
    { label: "Light", value: 0.25 },
    { label: "Medium", value: 0.5 },
    { label: "Strong", value: 0.75 },
    { label: "From scratch", value: 1 },
  ];
  const known = named.find((it) => it.value === current) ?? { label: "As set", value: current };
  return [known, ...named.filter((it) => it.value !== current)];
}

function isEmpty(range: Range): boolean {
  return range.start.line === range.end.line && range.start.character === range.end.character;
}
