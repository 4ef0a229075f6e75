/** The language client: what it is told, and where it does not do as it does by itself. */
import type { ChildProcess } from "node:child_process";
import * as vscode from "vscode";
import {
  CancellationToken,
  CloseAction,
  ErrorAction,
  LanguageClient,
  RevealOutputChannelOn,
  type Middleware,
} from "vscode-languageclient/node";
import { configurationSection, initializationOptions } from "./options";
import { isDisabled, readServerSetting } from "./settings";

const SELECTOR = ["file", "untitled", "vscode-notebook-cell"].map((scheme) => ({ scheme }));

/** What the client asks and tells the one who made it. */
export interface Owner {
  /** Whether no suggestions are wanted just now. */
  readonly isQuiet: () => boolean;
  /** Whether the server is there to be asked. */
  readonly isOpen: () => boolean;
  /** The connection is gone, whoever ended it. */
  readonly onClosed: () => void;
  /** The server reads changed settings by itself. */
  readonly onPullsSettings: () => void;
}

/** Make a client that starts its server with `connect`, once: whether it comes back is not its to say. */
export function makeClient(
  connect: () => Promise<ChildProcess>,
  log: vscode.LogOutputChannel,
  extensionVersion: string,
  owner: Owner,
): LanguageClient {
  return new LanguageClient("dgemma", "dgemma-ls", connect, {
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
}

function middleware(owner: Owner): Middleware {
  return {
    provideInlineCompletionItems: (document, position, context, token, next) =>
      owner.isQuiet() || isDisabled(document.languageId) ? [] : next(document, position, context, token),
    // While the providers of a stopped client go one by one, the editor asks those that are left.
    provideCodeActions: (document, range, context, token, next) =>
      owner.isOpen() ? next(document, range, context, token) : [],
    handleRegisterCapability: (params, next) => {
      if (params.registrations.some((it) => it.method === "workspace/didChangeConfiguration")) {
        owner.onPullsSettings();
      }
      return Promise.resolve(next(params, CancellationToken.None)).then(() => undefined);
    },
    workspace: {
      configuration: (params, token, next) =>
        params.items.every((it) => it.section === "dgemma")
          ? params.items.map(() => configurationSection(readServerSetting))
          : next(params, token),
    },
  };
}
