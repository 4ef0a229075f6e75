/** What the user asks for: the server computes and sends its edit, tied to the document's version. */
import * as vscode from "vscode";
import { ExecuteCommandRequest, WorkDoneProgress, type LanguageClient } from "vscode-languageclient/node";
import { COMMANDS, holesArgument, rewriteArgument, strengths, type Subject } from "./arguments";
import type { Server } from "./server";
import { rewriteStrength } from "./settings";

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
    await execute(server, COMMANDS.rewrite, "Rewriting", argument);
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

/** Have the typing errors of the document fixed. */
export async function fixDocument(server: Server): Promise<void> {
  const editor = need(server, COMMANDS.fixDocument);
  if (editor !== undefined) {
    await execute(server, COMMANDS.fixDocument, "Looking for typos", { uri: subjectOf(server, editor.document).uri });
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

async function execute(server: Server, command: string, title: string, argument: object): Promise<void> {
  const client = server.client;
  if (client === undefined) {
    return;
  }
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  await vscode.window.withProgress(options, async (progress, cancel) => {
    tokens += 1;
    const workDoneToken = `dgemma-vscode-${tokens}`;
    const listener = report(client, workDoneToken, progress);
    try {
      const params = { command, arguments: [argument], workDoneToken };
      const answer: unknown = await client.sendRequest(ExecuteCommandRequest.type, params, cancel);
      const words = messageOf(answer);
      if (words !== undefined) {
        void vscode.window.showInformationMessage(`dgemma: ${words}`);
      }
    } catch (error) {
      if (!cancel.isCancellationRequested) {
        void vscode.window.showErrorMessage(`dgemma: ${error instanceof Error ? error.message : String(error)}`);
      }
    } finally {
      listener.dispose();
    }
  });
}

function report(
  client: LanguageClient,
  token: string,
  progress: vscode.Progress<{ message?: string; increment?: number }>,
): vscode.Disposable {
  let percentage = 0;
  return client.onProgress(WorkDoneProgress.type, token, (value) => {
    if (value.kind === "end") {
      return;
    }
    const now = value.percentage ?? percentage;
    progress.report({ ...(value.message !== undefined && { message: value.message }), increment: now - percentage });
    percentage = now;
  });
}

/** A server may answer with a sentence for the user, alone or as `message`. */
function messageOf(answer: unknown): string | undefined {
  const words = typeof answer === "object" && answer !== null && "message" in answer ? answer.message : answer;
  return typeof words === "string" && words !== "" ? words : undefined;
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
