/** The language client: what it is told, and where it does not do as it does by itself. */
import type { ChildProcess } from "node:child_process";
import * as vscode from "vscode";
import {
  CancellationToken,
  CloseAction,
  ConnectionError,
  ErrorAction,
  LanguageClient,
  MessageType,
  RevealOutputChannelOn,
  ShowMessageNotification,
  type ApplyWorkspaceEditParams,
  type ApplyWorkspaceEditResult,
  type MessageSignature,
  type Middleware,
  type ShowMessageParams,
} from "vscode-languageclient/node";
import { configurationSection, initializationOptions } from "./options";
import { isDisabled, readServerSetting } from "./settings";

const SELECTOR = ["file", "untitled", "vscode-notebook-cell"].map((scheme) => ({ scheme }));

/** What is done with an edit that the server sends; `next` applies it. */
export type ApplyEdit = (
  params: ApplyWorkspaceEditParams,
  next: (params: ApplyWorkspaceEditParams) => Promise<ApplyWorkspaceEditResult>,
) => Promise<ApplyWorkspaceEditResult>;

/** What the client asks and tells the one who made it. */
export interface Owner {
  /** Whether no suggestions are wanted just now. */
  readonly isQuiet: () => boolean;
  /** There is ghost text for a document, or nothing to be shown. */
  readonly onSuggested: (document: vscode.TextDocument, isSomething: boolean) => void;
  readonly applyEdit: ApplyEdit;
  /** The connection is gone, whoever ended it. */
  readonly onClosed: () => void;
  /** The server reads changed settings by itself. */
  readonly onPullsSettings: () => void;
}

/** As the library's, but nothing fails for want of a server that is being stopped, or has just died. */
class Client extends LanguageClient {
  /**
   * The library looks whether it runs, then waits, and if it was stopped meanwhile, as every closing window
   * does, fails with an error that it does not know again itself. The editor logs it once per open question.
   */
  override handleFailedRequest<T>(
    type: MessageSignature,
    token: vscode.CancellationToken | undefined,
    error: unknown,
    defaultValue: T,
    showNotification?: boolean,
    throwOnCancel?: boolean,
  ): T {
    return !this.isRunning() || error instanceof ConnectionError
      ? defaultValue
      : super.handleFailedRequest(type, token, error, defaultValue, showNotification, throwOnCancel);
  }
}

/** Make a client that starts its server with `connect`, once: whether it comes back is not its to say. */
export function makeClient(
  connect: () => Promise<ChildProcess>,
  log: vscode.LogOutputChannel,
  extensionVersion: string,
  owner: Owner,
): LanguageClient {
  const client = new Client("dgemma", "dgemma-ls", connect, {
    documentSelector: SELECTOR,
    outputChannel: log,
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    initializationOptions: () =>
      initializationOptions(readServerSetting, vscode.workspace.isTrusted, {
        editor: vscode.version,
        extension: extensionVersion,
      }),
    initializationFailedHandler: () => false,
    stdioOptions: { stdout: () => undefined, stderr: () => undefined }, // startServer reads it
    errorHandler: {
      error: () => ({ action: ErrorAction.Continue, handled: true }),
      closed: () => {
        owner.onClosed();
        return { action: CloseAction.DoNotRestart, handled: true };
      },
    },
    middleware: middleware(owner),
  });
  client.onNotification(ShowMessageNotification.type, show);
  return client;
}

/** Show what the server tells the user. Its one error is that there is no model; another one is the way out. */
function show({ type, message }: ShowMessageParams): void {
  const words = `dgemma: ${message}`;
  if (type === MessageType.Error) {
    void vscode.window.showErrorMessage(words, "Switch Model…").then((chosen) => {
      if (chosen !== undefined) {
        void vscode.commands.executeCommand("dgemma.switchModel");
      }
    });
  } else if (type === MessageType.Warning) {
    void vscode.window.showWarningMessage(words);
  } else {
    void vscode.window.showInformationMessage(words);
  }
}

/** Tell whether a server can say which edit may come next, by its capability `experimental`. */
export function advertisesNextEdits(experimental: unknown): boolean {
  return (
    typeof experimental === "object" &&
    experimental !== null &&
    "copilotInlineEditProvider" in experimental &&
    experimental.copilotInlineEditProvider === true
  );
}

function middleware(owner: Owner): Middleware {
  return {
    provideInlineCompletionItems: async (document, position, context, token, next) => {
      if (owner.isQuiet() || isDisabled(document.languageId)) {
        return [];
      }
      const answer = await next(document, position, context, token);
      const items = Array.isArray(answer) ? answer : (answer?.items ?? []);
      owner.onSuggested(document, items.length > 0);
      return answer;
    },
    executeCommand: (command, args, next) => {
      if (command === "dgemma.accepted") {
        // Not left on: the walkthrough sees what begins to hold while it is open.
        void vscode.commands.executeCommand("setContext", "dgemma.accepting", true);
        void vscode.commands.executeCommand("setContext", "dgemma.accepting", false);
      }
      return next(command, args) as unknown;
    },
    handleRegisterCapability: (params, next) => {
      if (params.registrations.some((it) => it.method === "workspace/didChangeConfiguration")) {
        owner.onPullsSettings();
      }
      return Promise.resolve(next(params, CancellationToken.None)).then(() => undefined);
    },
    workspace: {
      handleApplyEdit: (params, next) => owner.applyEdit(params, async (it) => next(it, CancellationToken.None) as Promise<ApplyWorkspaceEditResult>),
      configuration: (params, token, next) =>
        params.items.every((it) => it.section === "dgemma")
          ? params.items.map(() => configurationSection(readServerSetting))
          : next(params, token),
    },
  };
}
