// A scripted session with the server named on the command line, by the client side of VS Code's own
// protocol library. Prints all messages in their order, as JSON.

import { spawn } from 'node:child_process';
import { createProtocolConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-languageserver-protocol/node';
import * as lsp from 'vscode-languageserver-protocol';

const [command, ...args] = process.argv.slice(2);
const server = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
const exited = new Promise((resolve) => server.on('exit', resolve));
const trace = [];

class Reader extends StreamMessageReader {
  listen(callback) {
    return super.listen((message) => {
      trace.push(['in', message]);
      callback(message);
    });
  }
}

class Writer extends StreamMessageWriter {
  write(message) {
    trace.push(['out', message]);
    return super.write(message);
  }
}

const connection = createProtocolConnection(new Reader(server.stdout), new Writer(server.stdin));
let progressEnded;
const loaded = new Promise((resolve) => { progressEnded = resolve; });
let pulled;
const configured = new Promise((resolve) => { pulled = resolve; });
const registered = [];
connection.onRequest(lsp.ConfigurationRequest.type, ({ items }) => {
  pulled();
  return items.map(({ section }) => (section === 'dgemma' ? { n_candidates: 2 } : null));
});
connection.onRequest(lsp.RegistrationRequest.type, ({ registrations }) => {
  registered.push(...registrations.map(({ method }) => method));
});
connection.onRequest(lsp.WorkDoneProgressCreateRequest.type, ({ token }) => {
  connection.onProgress(lsp.WorkDoneProgress.type, token, (value) => {
    if (value.kind === 'end') progressEnded();
  });
});
connection.listen();

const kind = lsp.InlineCompletionTriggerKind;
const uri = 'file:///workspace/a.py';
const at = (line, character) => ({ line, character });
const document = (uri, text) => ({ uri, languageId: 'python', version: 1, text });

const initialized = await connection.sendRequest(lsp.InitializeRequest.type, {
  processId: process.pid,
  rootUri: null,
  workspaceFolders: [{ uri: 'file:///workspace', name: 'workspace' }],
  capabilities: {
    general: { positionEncodings: ['utf-16'] },
    window: { workDoneProgress: true, showMessage: {} },
    workspace: {
      configuration: true,
      workspaceFolders: true,
      didChangeConfiguration: { dynamicRegistration: true },
      didChangeWatchedFiles: { dynamicRegistration: true },
    },
    textDocument: { completion: { completionItem: {} }, synchronization: {} },
    notebookDocument: { synchronization: {} },
  },
  initializationOptions: { completion: 'on', debounce_ms: -1 },
});
await connection.sendNotification(lsp.InitializedNotification.type, {});
await Promise.all([loaded, configured]);

await connection.sendNotification(lsp.DidOpenTextDocumentNotification.type, {
  textDocument: document(uri, 'x = \nf()\n'),
});
const inline = (uri, position, more = {}) => connection.sendRequest(lsp.InlineCompletionRequest.type, {
  textDocument: { uri }, position, context: { triggerKind: kind.Invoked }, ...more,
});
await inline(uri, at(0, 4));
const partial = [];
connection.onProgress(new lsp.ProgressType(), 'part', (items) => partial.push(...items));
await inline(uri, at(1, 2), { partialResultToken: 'part' });
const { items } = await connection.sendRequest(lsp.CompletionRequest.type, {
  textDocument: { uri }, position: at(0, 4),
});
await connection.sendRequest(lsp.CompletionResolveRequest.type, items[0]);
await connection.sendRequest(lsp.ExecuteCommandRequest.type, {
  command: items[0].command.command, arguments: items[0].command.arguments,
});
await connection.sendNotification(lsp.DidChangeTextDocumentNotification.type, {
  textDocument: { uri, version: 2 },
  contentChanges: [{ range: { start: at(0, 4), end: at(0, 4) }, text: 'v' }],
});
await inline(uri, at(0, 5));

const renamed = 'file:///workspace/c.py';
await connection.sendNotification(lsp.DidOpenTextDocumentNotification.type, {
  textDocument: document(renamed, 'total = 1\nprint(total)\n'),
});
await connection.sendNotification(lsp.DidChangeTextDocumentNotification.type, {
  textDocument: { uri: renamed, version: 2 },
  contentChanges: [{ range: { start: at(0, 0), end: at(0, 5) }, text: 'product' }],
});
const { edits } = await connection.sendRequest('textDocument/copilotInlineEdit', {
  textDocument: { uri: renamed, version: 2 }, position: at(0, 7),
});
await connection.sendNotification('textDocument/didShowInlineEdit', { item: edits[0] });
await connection.sendRequest(lsp.ExecuteCommandRequest.type, edits[0].command);

await connection.sendNotification(lsp.DidChangeConfigurationNotification.type, { settings: null });
await connection.sendNotification(lsp.DidChangeWorkspaceFoldersNotification.type, {
  event: { added: [{ uri: 'file:///other', name: 'other' }], removed: [] },
});
await connection.sendNotification(lsp.DidChangeWatchedFilesNotification.type, {
  changes: [{ uri: 'file:///workspace/.gitignore', type: lsp.FileChangeType.Changed }],
});

const notebook = 'file:///workspace/b.ipynb';
const cells = ['one', 'two'].map((name) => `vscode-notebook-cell:/workspace/b.ipynb#${name}`);
await connection.sendNotification(lsp.DidOpenNotebookDocumentNotification.type, {
  notebookDocument: {
    uri: notebook, notebookType: 'jupyter-notebook', version: 1,
    cells: cells.map((document) => ({ kind: lsp.NotebookCellKind.Code, document })),
  },
  cellTextDocuments: [document(cells[0], 'y = 1\n'), document(cells[1], 'z = \n')],
});
await inline(cells[1], at(0, 4));
await connection.sendNotification(lsp.DidCloseNotebookDocumentNotification.type, {
  notebookDocument: { uri: notebook }, cellTextDocuments: cells.map((uri) => ({ uri })),
});
await connection.sendRequest('no/such').catch(() => {});

await connection.sendRequest(lsp.ShutdownRequest.type);
await connection.sendNotification(lsp.ExitNotification.type);
const code = await exited;
process.stdout.write(JSON.stringify({
  trace, code, registered, partial: partial.length, capabilities: initialized.capabilities,
}));
process.exit(0);
