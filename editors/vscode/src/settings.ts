/** Reads the settings `dgemma.*` of VS Code. */
import * as vscode from "vscode";
import type { Read } from "./options";

const SECTION = "dgemma";

export const readServerSetting: Read = (name) => configuration().get(name);

export function serverPath(): string {
  return configuration().get("path", "").trim();
}

export function isShared(): boolean {
  return configuration().get("share", true);
}

export function rewriteStrength(): number {
  return configuration().get("strength", 0.5);
}

export function previewsRewriting(): boolean {
  return configuration().get("preview", true);
}

export function showsNextEdits(): boolean {
  return configuration().get("nextEdits", true);
}

/** Tell whether suggestions are off in a language. */
export function isDisabled(languageId: string): boolean {
  return configuration().get<string[]>("disabled_languages", []).includes(languageId);
}

export async function setModel(model: string): Promise<void> {
  await configuration().update("model", model, vscode.ConfigurationTarget.Global);
}

/** Give settings as they are in force, to be compared with what they are later. */
export function inForce(names: readonly string[]): string {
  const now = configuration();
  return JSON.stringify(names.map((name) => now.get(name)));
}

/** Tell whether a change concerns any of the names. */
export function concerns(change: vscode.ConfigurationChangeEvent, names: readonly string[]): boolean {
  return names.some((name) => change.affectsConfiguration(`${SECTION}.${name}`));
}

function configuration(): vscode.WorkspaceConfiguration {
  return vscode.workspace.getConfiguration(SECTION);
}
