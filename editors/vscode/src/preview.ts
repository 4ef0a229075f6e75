/** Shows what an edit of the server would make of a document, before it is made. */
import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import type { ApplyEdit } from "./client";

const SCHEME = "dgemma-preview";
const DISCARDED = "discarded";

const texts = new Map<string, string>();
let shown = 0;

/** Serve the texts that are compared. */
export function registerPreview(): vscode.Disposable {
  return vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
    provideTextDocumentContent: (uri) => texts.get(uri.toString()) ?? "",
  });
}

/** Make an `ApplyEdit` that shows the change and asks; `onDiscarded` is told if it is not wanted. */
export function askFirst(client: LanguageClient, title: string, onDiscarded: () => void): ApplyEdit {
  return async (params, next) => {
    const edit = await client.protocol2CodeConverter.asWorkspaceEdit(params.edit);
    const [uri, edits] = edit.entries()[0] ?? [];
    if (uri === undefined || edits === undefined || edit.size !== 1) {
      return next(params);
    }
    const document = await vscode.workspace.openTextDocument(uri);
    if (!(await agrees(document, applied(document, edits), title))) {
      onDiscarded();
      return { applied: false, failureReason: DISCARDED };
    }
    return next(params);
  };
}

/** Give the text of a document with edits, which do not overlap. */
function applied(document: vscode.TextDocument, edits: readonly vscode.TextEdit[]): string {
  const last = (edit: vscode.TextEdit): number => document.offsetAt(edit.range.start);
  return [...edits]
    .sort((one, other) => last(other) - last(one))
    .reduce((text, { range, newText }) => {
      return text.slice(0, document.offsetAt(range.start)) + newText + text.slice(document.offsetAt(range.end));
    }, document.getText());
}

async function agrees(document: vscode.TextDocument, now: string, title: string): Promise<boolean> {
  const name = document.uri.path.split("/").at(-1) ?? "";
  shown += 1;
  const page = (side: string): vscode.Uri => vscode.Uri.from({ scheme: SCHEME, path: `/${shown}/${side}/${name}` });
  const [left, right] = [page("before"), page("after")];
  texts.set(left.toString(), document.getText()).set(right.toString(), now);
  try {
    // The old text is shown from a copy: a diff with the document itself could be typed into.
    await vscode.commands.executeCommand("vscode.diff", left, right, `${name}: ${title}`, { preview: false, preserveFocus: true });
    const choices = [
      { label: "Apply", description: "one undo takes it back" },
      { label: "Discard", description: "leave the document as it is" },
    ];
    const chosen = await vscode.window.showQuickPick(choices, { title, placeHolder: "Apply the change?", ignoreFocusOut: true });
    return chosen === choices[0];
  } finally {
    await close(right);
    await vscode.window.showTextDocument(document, { preserveFocus: false, preview: false });
    [left, right].forEach((it) => texts.delete(it.toString()));
  }
}

async function close(modified: vscode.Uri): Promise<void> {
  const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
  const isOurs = ({ input }: vscode.Tab): boolean =>
    input instanceof vscode.TabInputTextDiff && input.modified.toString() === modified.toString();
  await vscode.window.tabGroups.close(tabs.filter(isOurs), true);
}
