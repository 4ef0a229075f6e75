/** The edit that may come next: drawn where it would be made, taken by Tab. Stable API only. */
import * as vscode from "vscode";
import { clear, draw, isAt, makeLook, type Look } from "./nextEditLook";
import { NextEditNote } from "./nextEditNote";
import type { Server } from "./server";
import { isDisabled, showsNextEdits } from "./settings";

const REST_MS = 400; // after the last key
const REJECT = "dgemma.rejectInlineEdit"; // of the server

/** An edit as the server gives it; the command is to be run once it was made. */
interface InlineEdit {
  readonly text: string;
  readonly textDocument: { readonly uri: string; readonly version: number };
  readonly range: { readonly start: Place; readonly end: Place };
  readonly command?: { readonly command: string; readonly arguments?: readonly unknown[] };
}

interface Place {
  readonly line: number;
  readonly character: number;
}

/** An edit on screen. */
interface Shown {
  readonly editor: vscode.TextEditor;
  readonly edit: InlineEdit;
  readonly range: vscode.Range;
}

/** Asks for the next edit after each pause, shows it, and takes or dismisses it. */
export class NextEdits implements vscode.Disposable {
  private shown: Shown | undefined;
  private timer: NodeJS.Timeout | undefined;
  private question: vscode.CancellationTokenSource | undefined;
  /** Where there is ghost text: it goes first on its line. */
  private ghostIn: vscode.TextDocument | undefined;
  private readonly look: Look;
  private readonly note = new NextEditNote();
  private readonly subscriptions: { dispose(): unknown }[];

  constructor(
    private readonly server: Server,
    media: vscode.Uri,
  ) {
    this.look = makeLook(media);
    this.subscriptions = [
      ...Object.values(this.look),
      this.note,
      vscode.workspace.onDidChangeTextDocument((change) => {
        this.onChange(change);
      }),
      vscode.window.onDidChangeActiveTextEditor(() => {
        this.reset();
      }),
      vscode.window.onDidChangeTextEditorSelection(() => {
        this.draw();
      }),
      server.onDidSuggest(({ document, isSomething }) => {
        this.ghostIn = isSomething ? document : undefined;
        if (this.shown !== undefined && this.isBesideGhost(this.shown)) {
          this.hide();
        }
      }),
      server.onDidChange(() => {
        if (server.paused || !server.offersNextEdits) {
          this.reset();
        }
      }),
    ];
  }

  /** Ask now, because the user wants it. */
  async suggest(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    const wrong = !this.server.offersNextEdits
      ? "the server does not run, or this version of it suggests no next edits"
      : editor === undefined
        ? "open a document first"
        : undefined;
    if (wrong !== undefined || editor === undefined) {
      void vscode.window.showWarningMessage(`dgemma: ${wrong ?? ""}.`);
      return;
    }
    this.reset();
    this.ghostIn = undefined;
    await this.ask(editor);
    if (this.shown === undefined) {
      this.note.showNothing();
    }
  }

  /** Make the edit; if the cursor is elsewhere, go there first. */
  async take(): Promise<void> {
    const shown = this.shown;
    if (shown === undefined) {
      return;
    }
    const { editor, edit, range } = shown;
    if (!isAt(editor, range)) {
      editor.selection = new vscode.Selection(range.start, range.start);
      editor.revealRange(range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
      return;
    }
    this.reset();
    const document = editor.document;
    const text = edit.text.replace(/\r\n|\r|\n/g, document.eol === vscode.EndOfLine.CRLF ? "\r\n" : "\n");
    const end = document.offsetAt(range.start) + text.length;
    if (await editor.edit((builder) => { builder.replace(range, text); })) {
      const cursor = document.positionAt(end);
      editor.selection = new vscode.Selection(cursor, cursor);
      this.tell(edit.command?.command, edit);
    }
  }

  /** Send the edit away; the server does not offer it again. */
  dismiss(): void {
    const shown = this.shown;
    this.reset();
    if (shown !== undefined) {
      this.tell(REJECT, shown.edit);
    }
  }

  dispose(): void {
    this.reset();
    vscode.Disposable.from(...this.subscriptions).dispose();
  }

  private onChange({ document, contentChanges, reason }: vscode.TextDocumentChangeEvent): void {
    const editor = vscode.window.activeTextEditor;
    if (document !== editor?.document || contentChanges.length === 0) {
      return;
    }
    this.reset();
    this.ghostIn = undefined;
    const isWanted = showsNextEdits() && !this.server.paused && !isDisabled(document.languageId);
    if (isWanted && this.server.offersNextEdits && reason === undefined) { // undone edits are not wanted again
      this.timer = setTimeout(() => void this.ask(editor), REST_MS);
    }
  }

  private async ask(editor: vscode.TextEditor): Promise<void> {
    const { client } = this.server;
    const { document, selection } = editor;
    if (client === undefined || editor.selections.length > 1) {
      return;
    }
    const question = new vscode.CancellationTokenSource();
    this.question = question;
    const { version } = document;
    const textDocument = { uri: client.code2ProtocolConverter.asUri(document.uri), version };
    const params = { textDocument, position: client.code2ProtocolConverter.asPosition(selection.active) };
    try {
      const answer: unknown = await client.sendRequest("textDocument/copilotInlineEdit", params, question.token);
      const edit = editsOf(answer).find((it) => it.textDocument.uri === textDocument.uri && it.textDocument.version === version);
      if (edit === undefined || this.question !== question || document.version !== version) {
        return;
      }
      const shown = { editor, edit, range: client.protocol2CodeConverter.asRange(edit.range) };
      if (!this.isBesideGhost(shown)) {
        this.show(shown);
        await client.sendNotification("textDocument/didShowInlineEdit", { item: edit });
      }
    } catch (error) {
      if (!question.token.isCancellationRequested) {
        this.server.log.debug(`no next edit: ${String(error)}`);
      }
    } finally {
      question.dispose();
    }
  }

  private show(shown: Shown): void {
    this.shown = shown;
    this.draw();
    setContext(true);
  }

  private draw(): void {
    if (this.shown === undefined) {
      return;
    }
    const { editor, edit, range } = this.shown;
    const old = editor.document.getText(range);
    draw(this.look, editor, range, edit.text);
    this.note.show({ line: range.start.line + 1, isHere: isAt(editor, range), old, now: edit.text });
  }

  private hide(): void {
    const shown = this.shown;
    this.shown = undefined;
    if (shown !== undefined) {
      clear(this.look, shown.editor);
      this.note.hide();
      setContext(false);
    }
  }

  /** Neither show one nor ask for one. */
  private reset(): void {
    clearTimeout(this.timer);
    this.question?.cancel();
    this.question = undefined;
    this.hide();
  }

  private isBesideGhost({ editor, range }: Shown): boolean {
    return this.ghostIn === editor.document && isAt(editor, range);
  }

  /** Run a command of the server on what it knows the edit by. */
  private tell(command: string | undefined, edit: InlineEdit): void {
    const { client } = this.server;
    if (command === undefined || client === undefined) {
      return;
    }
    const params = { command, arguments: edit.command?.arguments ?? [] };
    client.sendRequest("workspace/executeCommand", params).catch((error: unknown) => {
      this.server.log.debug(`${command}: ${String(error)}`);
    });
  }
}

function editsOf(answer: unknown): readonly InlineEdit[] {
  const edits = typeof answer === "object" && answer !== null && "edits" in answer ? answer.edits : [];
  return Array.isArray(edits) ? (edits as InlineEdit[]) : [];
}

function setContext(isShown: boolean): void {
  void vscode.commands.executeCommand("setContext", "dgemma.nextEditShown", isShown);
}
