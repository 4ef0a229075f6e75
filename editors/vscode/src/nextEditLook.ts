/** How the next edit looks. */
import * as vscode from "vscode";

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

/** Say what is changed, for who points at it. */
export function hover(old: string, now: string): vscode.MarkdownString {
  const sign = (text: string, mark: string): string => text.split(/\r\n|\r|\n/).map((line) => `${mark} ${line}`).join("\n");
  const lines = [old === "" ? "" : sign(old, "-"), now === "" ? "" : sign(now, "+")].filter((it) => it !== "");
  return new vscode.MarkdownString("Next edit: Tab makes it, Esc sends it away").appendCodeblock(lines.join("\n"), "diff");
}
