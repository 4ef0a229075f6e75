/** What has to be run to install the server into an environment of its own. */
import * as path from "node:path";
import { binFolder } from "./find";

/** A program and its arguments. */
export type Command = readonly [program: string, ...args: string[]];

/** The installers that were found. */
export interface Installers {
  readonly uv: string | undefined;
  readonly python: string | undefined;
}

/** Give the commands, in order; undefined if nothing can install. */
export function installPlan(
  installers: Installers,
  environment: string,
  windows: boolean,
): readonly Command[] | undefined {
  const python = path.join(binFolder(environment, windows), windows ? "python.exe" : "python");
  if (installers.uv !== undefined) {
    return [
      [installers.uv, "venv", "--python", ">=3.11", environment],
      [installers.uv, "pip", "install", "--upgrade", "--python", python, "dgemma-ls"],
    ];
  }
  if (installers.python !== undefined) {
    return [
      [installers.python, "-m", "venv", environment],
      [python, "-m", "pip", "install", "--upgrade", "dgemma-ls"],
    ];
  }
  return undefined;
}

/** Give a command as a person would type it. */
export function shown(command: Command): string {
  return command.map((word) => (/^[\w@%+=:,./\\-]+$/.test(word) ? word : `"${word}"`)).join(" ");
}
