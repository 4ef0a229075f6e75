/** How the next edit looks. */
import * as vscode from "vscode";
import { difference, drawn } from "./difference";

/** How it is drawn. */
export type Look = Readonly<Record<"struck" | "added" | "gutter" | "pointer", vscode.TextEditorDecorationType>>;

/** Make the decorations; whoever has them disposes of them. */
export function makeLook(media: vscode.Uri): Look {
  const make = vscode.window.createTextEditorDecorationType;
  const icon = (kind: string): { gutterIconPath: vscode.Uri } => ({ gutterIconPath: vscode.Uri.joinPath(media, `next-${kind}.svg`) });
  const ghost = new vscode.ThemeColor("editorGhostText.foreground");
  return {
    struck: make({
      textDecoration: "line-through",
      backgroundColor: new vscode.ThemeColor("diffEditor.removedTextBackground"),
      rangeBehavior: vscode.DecorationRangeBehavior.ClosedClosed,
    }),
    added: make({ after: { color: ghost, fontStyle: "italic", backgroundColor: new vscode.ThemeColor("diffEditor.insertedTextBackground") } }),
    gutter: make({ light: icon("light"), dark: icon("dark"), gutterIconSize: "contain", overviewRulerColor: ghost }),
    pointer: make({ after: { color: ghost } }),
  };
}

/** Draw what would stand in a range, and in the cursor's line where that is if it is elsewhere. */
export function draw(look: Look, editor: vscode.TextEditor, range: vscode.Range, now: string): void {
  const { document } = editor;
  const old = document.getText(range);
  const what = difference(old, now);
  const from = document.offsetAt(range.start);
  const place = new vscode.Range(document.positionAt(from + what.start), document.positionAt(from + what.end));
  const hoverMessage = hover(old, now);
  const added = { contentText: drawn(what.text).replaceAll(" ", "\u00a0") };
  editor.setDecorations(look.struck, place.isEmpty ? [] : [{ range: place, hoverMessage }]);
  const put = { range: new vscode.Range(place.end, place.end), renderOptions: { after: added } };
  editor.setDecorations(look.added, what.text === "" ? [] : [put]);
  editor.setDecorations(look.gutter, [{ range: new vscode.Range(range.start, range.start), hoverMessage }]);
  const here = document.lineAt(editor.selection.active.line).range.end;
  const pointer = { contentText: `  ⇥ line ${range.start.line + 1}` };
  const far = { range: new vscode.Range(here, here), renderOptions: { after: pointer } };
  editor.setDecorations(look.pointer, isAt(editor, range) ? [] : [far]);
}

/** Draw nothing any more. */
export function clear(look: Look, editor: vscode.TextEditor): void {
  Object.values(look).forEach((it) => {
    editor.setDecorations(it, []);
  });
}

/** Tell whether the cursor is in a line of a range. */
export function isAt(editor: vscode.TextEditor, range: vscode.Range): boolean {
  const { line } = editor.selection.active;
  return range.start.line <= line && line <= range.end.line;
}

/** Say what is changed, for who points at it. */
function hover(old: string, now: string): vscode.MarkdownString {
  const sign = (text: string, mark: string): string => text.split(/\r\n|\r|\n/).map((line) => `${mark} ${line}`).join("\n");
  const lines = [old === "" ? "" : sign(old, "-"), now === "" ? "" : sign(now, "+")].filter((it) => it !== "");
  return new vscode.MarkdownString("Next edit: Tab makes it, Esc sends it away").appendCodeblock(lines.join("\n"), "diff");
}
