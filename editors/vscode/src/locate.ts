/** Finds the server on this machine: asks the disk and the Python extension. */
import * as os from "node:os";
import * as path from "node:path";
import * as vscode from "vscode";
import { candidates, type Launch, type World } from "./find";
import { isProgram, version } from "./process";
import { serverPath } from "./settings";

/** A program that said it is the server. */
export interface Found {
  readonly launch: Launch;
  readonly version: string;
}

/** What was looked for, and why each was no good. */
export interface Missing {
  readonly complaints: readonly string[];
}

/** The part of the Python extension's API that is used. */
interface PythonApi {
  readonly environments: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { readonly path: string };
    resolveEnvironment(path: object): Promise<{ readonly executable: { readonly uri?: vscode.Uri } } | undefined>;
  };
}

/** Find the server. */
export async function locate(storage: string): Promise<Found | Missing> {
  const complaints: string[] = [];
  for (const launch of candidates(await world(storage))) {
    try {
      return { launch, version: await version(launch, storage) };
    } catch (error) {
      complaints.push(error instanceof Error ? error.message : String(error));
    }
  }
  return { complaints };
}

/** Give the environment that the extension makes. */
export function ownEnvironment(storage: string): string {
  return path.join(storage, "environment");
}

async function world(storage: string): Promise<World> {
  return {
    setting: serverPath(),
    env: process.env,
    windows: process.platform === "win32",
    home: os.homedir(),
    // An interpreter can be part of the workspace, and would be run.
    interpreter: vscode.workspace.isTrusted ? await interpreter() : undefined,
    ownEnvironment: ownEnvironment(storage),
    isProgram,
  };
}

async function interpreter(): Promise<string | undefined> {
  const extension = vscode.extensions.getExtension<PythonApi>("ms-python.python");
  if (extension === undefined) {
    return undefined;
  }
  try {
    const { environments } = await extension.activate();
    const resource = vscode.window.activeTextEditor?.document.uri ?? vscode.workspace.workspaceFolders?.[0]?.uri;
    const active = environments.getActiveEnvironmentPath(resource);
    return (await environments.resolveEnvironment(active))?.executable.uri?.fsPath;
  } catch {
    return undefined; // an extension of somebody else, in a state that we cannot know
  }
}
