/** Says in the status bar that there is a next edit, so that screen readers announce it. */
import * as vscode from "vscode";
import { nextEditWords, type Said } from "./nextEditWords";

const NOTHING_MS = 3_000;

/**
 * The stable API can announce nothing by itself, and the status bar keeps quiet when it changes: but an item's
 * role is the extension's, and one that says "alert" is read when it appears or changes, as ghost text is.
 */
export class NextEditNote implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem("dgemma.nextEdit", vscode.StatusBarAlignment.Left);
  private timer: NodeJS.Timeout | undefined;

  constructor() {
    this.item.name = "dgemma: next edit";
  }

  /** Say what it would change. */
  show(said: Said): void {
    const { text, label } = nextEditWords(said);
    this.say(text, label);
  }

  /** Say for a moment that there is none. */
  showNothing(): void {
    this.say("no next edit here", "No next edit here");
    this.timer = setTimeout(() => { this.hide(); }, NOTHING_MS);
  }

  hide(): void {
    clearTimeout(this.timer);
    this.item.hide();
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.item.dispose();
  }

  private say(text: string, label: string): void {
    clearTimeout(this.timer);
    this.item.text = `dgemma: ${text}`;
    this.item.accessibilityInformation = { label, role: "alert" };
    this.item.show();
  }
}
