/** What the user asks for: the server computes and sends its edit, tied to the document's version. */
import * as vscode from "vscode";
import { ExecuteCommandRequest, WorkDoneProgress, type LanguageClient } from "vscode-languageclient/node";
import { COMMANDS, holesArgument, rewriteArgument, strengths, type Subject } from "./arguments";
import type { ApplyEdit } from "./client";
import { askFirst } from "./preview";
import type { Server } from "./server";
import { previewsRewriting, rewriteStrength } from "./settings";

let lastInstruction = "";
let tokens = 0;

/** Ask how, then have the selection rewritten; without one, the line. */
export async function rewriteSelection(server: Server): Promise<void> {
  const editor = need(server, COMMANDS.rewrite);
  if (editor === undefined) {
    return;
  }
  const { document, selection } = editor;
  const subject = subjectOf(server, document);
  const range = selection.isEmpty ? document.lineAt(selection.active.line).range : selection;
  const instruction = await vscode.window.showInputBox({
    title: "Rewrite Selection (1/2)",
    prompt: "What to change; nothing to have it written better as it is",
    value: lastInstruction,
    ignoreFocusOut: true,
  });
  if (instruction === undefined) {
    return;
  }
  lastInstruction = instruction;
  const choices = strengths(rewriteStrength()).map((it) => ({ ...it, description: `${Math.round(it.value * 100)} %` }));
  const strength = await vscode.window.showQuickPick(choices, {
    title: "Rewrite Selection (2/2)",
    placeHolder: "How much may change",
    ignoreFocusOut: true,
  });
  if (strength !== undefined) {
    const argument = rewriteArgument(subject, toRange(range), strength.value, instruction);
    await execute(server, COMMANDS.rewrite, "Rewriting", argument, previewsRewriting() ? "diff" : undefined);
  }
}

/** Have something written at every cursor, or in place of every selection. */
export async function fillHoles(server: Server): Promise<void> {
  const editor = need(server, COMMANDS.fillHoles);
  if (editor !== undefined) {
    const argument = holesArgument(subjectOf(server, editor.document), editor.selections.map(toRange));
    await execute(server, COMMANDS.fillHoles, "Filling", argument);
  }
}

/** Have the typos of the document fixed that are certain. */
export async function fixDocument(server: Server): Promise<void> {
  const editor = need(server, COMMANDS.fixDocument);
  if (editor !== undefined) {
    await execute(server, COMMANDS.fixDocument, "Looking for typos", { uri: subjectOf(server, editor.document).uri });
  }
}

/** Show all typos that were found, to be chosen from one by one. */
export async function reviewDocument(server: Server): Promise<void> {
  const editor = need(server, COMMANDS.fixDocument);
  if (editor !== undefined) {
    const { uri } = subjectOf(server, editor.document);
    await execute(server, COMMANDS.fixDocument, "Looking for typos", { uri, tier: "suggest" }, "editor");
  }
}

/** Give the editor at hand, if the server runs and knows the command; else say what is missing. */
function need(server: Server, command: string): vscode.TextEditor | undefined {
  const editor = vscode.window.activeTextEditor;
  const wrong =
    server.client === undefined
      ? "the server does not run; the status bar says why"
      : !server.offers(command)
        ? `this version of the server has no command ${command}; update dgemma-ls`
        : editor === undefined
          ? "open a document first"
          : undefined;
  if (wrong !== undefined) {
    void vscode.window.showWarningMessage(`dgemma: ${wrong}.`);
    return undefined;
  }
  return editor;
}

/**
 * Have the server run a command, with a notification that can cancel it until it has found its edit.
 * `review` says who shows the edit before it is made: we, the editor (as the server asks it to), or nobody.
 */
async function execute(
  server: Server,
  command: string,
  title: string,
  argument: object,
  review?: "diff" | "editor",
): Promise<void> {
  const client = server.client;
  if (client === undefined) {
    return;
  }
  let isDiscarded = false;
  const discard = (): void => {
    isDiscarded = true;
  };
  const applyEdit = review === undefined ? undefined : review === "diff" ? askFirst(client, title, discard) : noting(discard);
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  await vscode.window.withProgress(options, async (progress, cancel) => {
    tokens += 1;
    const workDoneToken = `dgemma-vscode-${tokens}`;
    const params = { command, arguments: [argument], workDoneToken };
    const { ended, listener } = report(client, workDoneToken, progress);
    server.applyEdit = applyEdit;
    const answered = client
      .sendRequest(ExecuteCommandRequest.type, params, cancel)
      .then(tell, (error: unknown) => {
        if (!cancel.isCancellationRequested && !isDiscarded) {
          void vscode.window.showErrorMessage(`dgemma: ${error instanceof Error ? error.message : String(error)}`);
        }
      })
      .finally(() => {
        listener.dispose();
        if (server.applyEdit === applyEdit) {
          server.applyEdit = undefined;
        }
      });
    await Promise.race([ended, answered]); // a review may last as long as one likes
  });
}

/** Let the editor apply an edit, or ask about it; a refusal is the user's word and no failure. */
function noting(onDiscarded: () => void): ApplyEdit {
  return async (params, next) => {
    const result = await next(params);
    if (!result.applied && result.failureReason === undefined) {
      onDiscarded();
    }
    return result;
  };
}

function report(
  client: LanguageClient,
  token: string,
  progress: vscode.Progress<{ message?: string; increment?: number }>,
): { readonly ended: Promise<void>; readonly listener: vscode.Disposable } {
  let percentage = 0;
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const listener = client.onProgress(WorkDoneProgress.type, token, (value) => {
    if (value.kind === "end") {
      end();
      return;
    }
    const now = value.percentage ?? percentage;
    progress.report({ ...(value.message !== undefined && { message: value.message }), increment: now - percentage });
    percentage = now;
  });
  return { ended, listener };
}

/** A server may answer with a sentence for the user, alone or as `message`. */
function tell(answer: unknown): void {
  const words = typeof answer === "object" && answer !== null && "message" in answer ? answer.message : answer;
  if (typeof words === "string" && words !== "") {
    void vscode.window.showInformationMessage(`dgemma: ${words}`);
  }
}

function subjectOf(server: Server, document: vscode.TextDocument): Subject {
  const uri = server.client?.code2ProtocolConverter.asUri(document.uri) ?? document.uri.toString();
  return { uri, version: document.version };
}

function toRange({ start, end }: vscode.Range): { start: { line: number; character: number }; end: { line: number; character: number } } {
  return {
    start: { line: start.line, character: start.character },
    end: { line: end.line, character: end.character },
  };
}
