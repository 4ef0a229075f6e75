// Applies edit scripts with vscode-languageserver-textdocument, one JSON document a line.
// In:  {"text": string, "changes": [{"text": string, "range"?: [l0, c0, l1, c1]}]}
// Out: {"text": string, "positions": [[line, character], ...]} after the last change; one position
//      for each UTF-16 offset of the text.
import { createInterface } from "node:readline";
import { TextDocument } from "vscode-languageserver-textdocument";

for await (const line of createInterface({ input: process.stdin })) {
  const { text, changes } = JSON.parse(line);
  const document = TextDocument.create("file:///a", "python", 1, text);
  for (const { text, range } of changes) {
    const event = { text };
    if (range) {
      const [l0, c0, l1, c1] = range;
      event.range = { start: { line: l0, character: c0 }, end: { line: l1, character: c1 } };
    }
    TextDocument.update(document, [event], document.version + 1);
  }
  const result = document.getText();
  const positions = [];
  for (let offset = 0; offset <= result.length; offset++) {
    const { line, character } = document.positionAt(offset);
    positions.push([line, character]);
  }
  console.log(JSON.stringify({ text: result, positions }));
}
