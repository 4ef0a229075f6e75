/** Where the server's program may be, best place first. Asks the disk through `World` only. */
import * as path from "node:path";

/** How a program of the server is started; what it shall do comes after `prefix`. */
export interface Launch {
  readonly program: string;
  readonly prefix: readonly string[];
  /** Where it was found, in words for a person. */
  readonly origin: string;
}

/** What the search depends on. */
export interface World {
  /** The setting `dgemma.path`; empty if it is not set. */
  readonly setting: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly windows: boolean;
  readonly home: string;
  /** The Python extension's interpreter, where the workspace is trusted. */
  readonly interpreter: string | undefined;
  /** The folder of the environment that this extension makes; it need not be there. */
  readonly ownEnvironment: string;
  readonly isProgram: (file: string) => boolean;
}

const NAME = "dgemma-ls";

/** Give every program that is there. If the user names one, only that, whether it is there or not. */
export function candidates(world: World): Launch[] {
  if (world.setting !== "") {
    const named = expandHome(world.setting, world.home);
    return [launchOf(named, "the setting dgemma.path")];
  }
  const found: Launch[] = [];
  const add = (file: string, origin: string): void => {
    if (world.isProgram(file) && !found.some((it) => it.program === file)) {
      found.push(launchOf(file, origin));
    }
  };
  const own = executable(NAME, world);
  for (const folder of pathFolders(world)) {
    add(path.join(folder, own), "the PATH");
  }
  if (world.interpreter !== undefined) {
    add(world.interpreter, "the Python extension's interpreter");
  }
  for (const folder of toolFolders(world)) {
    add(path.join(folder, own), "the tools of uv and pipx");
  }
  add(path.join(binFolder(world.ownEnvironment, world.windows), own), "the extension's environment");
  return found;
}

/** Give the first program of a name on the PATH. */
export function onPath(name: string, world: Pick<World, "env" | "windows" | "isProgram">): string | undefined {
  const files = pathFolders(world).map((folder) => path.join(folder, executable(name, world)));
  return files.find(world.isProgram);
}

/** Give the folder of an environment's programs. */
export function binFolder(environment: string, windows: boolean): string {
  return path.join(environment, windows ? "Scripts" : "bin");
}

function launchOf(program: string, origin: string): Launch {
  // -P keeps the current folder out of the imports: a project may have a folder of our name.
  const isPython = /^(python|pypy)[\d.]*(\.exe)?$/i.test(path.basename(program));
  return { program, prefix: isPython ? ["-P", "-m", "dgemma_ls"] : [], origin };
}

function expandHome(file: string, home: string): string {
  return /^~[\\/]/.test(file) ? path.join(home, file.slice(2)) : file;
}

function executable(name: string, world: Pick<World, "windows">): string {
  return world.windows ? `${name}.exe` : name;
}

/** A relative folder would mean the workspace, which nobody vouches for. */
function pathFolders(world: Pick<World, "env" | "windows">): string[] {
  const value = world.env.PATH ?? world.env.Path ?? "";
  return value.split(world.windows ? ";" : ":").filter((folder) => path.isAbsolute(folder));
}

function toolFolders(world: World): string[] {
  const named = ["UV_TOOL_BIN_DIR", "PIPX_BIN_DIR", "XDG_BIN_HOME"].map((name) => world.env[name] ?? "");
  return [...named, path.join(world.home, ".local", "bin")].filter((folder) => path.isAbsolute(folder));
}
