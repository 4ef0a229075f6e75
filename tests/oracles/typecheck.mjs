// Checks messages against the types of VS Code's own protocol library, with the TypeScript compiler:
// each value becomes a literal, of which no property may be missing, wrong or unknown.
// Reads [{method, part: "params" | "result" | "progress", value}], prints the complaints as JSON.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import * as lsp from 'vscode-languageserver-protocol';

const types = new Map();
for (const [name, value] of Object.entries(lsp)) {
  if (value?.type?.method !== undefined) types.set(value.type.method, `typeof lsp.${name}.type`);
}
const lines = [`
import * as lsp from 'vscode-languageserver-protocol';
type Sure<T> = 0 extends 1 & T ? never : [T] extends [void] ? null : T;
type Params<M> = Sure<M extends lsp.ProtocolRequestType<infer P, any, any, any, any> ? P
  : M extends lsp.ProtocolNotificationType<infer P, any> ? P : never>;
type Result<M> = Sure<M extends lsp.ProtocolRequestType0<infer R, any, any, any> ? R
  : M extends lsp.ProtocolRequestType<any, infer R, any, any, any> ? R : never>;
type Progress = lsp.WorkDoneProgressBegin | lsp.WorkDoneProgressReport | lsp.WorkDoneProgressEnd
  | lsp.InlineCompletionItem[];
type InlineEdits = { edits: { text: string; textDocument: lsp.VersionedTextDocumentIdentifier;
  range: lsp.Range; command: lsp.Command }[] };
`.replaceAll('\n', ' ')];
// GitHub's Copilot server has it, the protocol does not.
const beyond = { 'textDocument/copilotInlineEdit result': 'InlineEdits' };
const unknown = [];
const messages = JSON.parse(readFileSync(0, 'utf-8'));
messages.forEach(({ method, part, value }, number) => {
  const type = part === 'progress' ? 'Progress' : beyond[`${method} ${part}`]
    ?? (types.has(method) && `${part === 'params' ? 'Params' : 'Result'}<${types.get(method)}>`);
  if (type) lines.push(`export const m${number}: ${type} = ${JSON.stringify(value)};`);
  else unknown.push(`${method}: no such method`);
});

const options = {
  strict: true, noEmit: true, skipLibCheck: true, types: [], target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.Node16, moduleResolution: ts.ModuleResolutionKind.Node16,
};
const file = fileURLToPath(new URL('messages.mts', import.meta.url));  // in memory only
const host = ts.createCompilerHost(options);
const [exists, read] = [host.fileExists, host.getSourceFile];
host.fileExists = (name) => name === file || exists(name);
host.getSourceFile = (name, ...more) => (name === file
  ? ts.createSourceFile(name, lines.join('\n'), ts.ScriptTarget.ES2022) : read(name, ...more));
const found = ts.getPreEmitDiagnostics(ts.createProgram([file], options, host));
const complaints = found.map((one) => {
  const text = ts.flattenDiagnosticMessageText(one.messageText, ' ');
  const line = one.file?.fileName === file ? lines[one.file.getLineAndCharacterOfPosition(one.start).line] : '';
  return `${line.slice(0, 200)}: ${text}`;
});
process.stdout.write(JSON.stringify([...unknown, ...complaints]));
