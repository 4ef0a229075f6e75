/** Starts programs; nothing here goes through a shell. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { constants, accessSync, statSync } from "node:fs";
import type { Launch } from "./find";

const VERSION_PATIENCE_MS = 30_000;
const TAIL_CHARS = 2_000;

/** A server's process, and how it ended once it did. */
export interface ServerProcess {
  readonly child: ChildProcess;
  /** In words for a person; undefined while it runs. */
  readonly ending: () => string | undefined;
}

/** Tell whether a file can be run. */
export function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Ask a program for its version; rejects with one sentence if it is not the server's. */
export function version(launch: Launch, cwd: string): Promise<string> {
  const words = [...launch.prefix, "--version"];
  return new Promise((resolve, reject) => {
    execFile(launch.program, words, { cwd, timeout: VERSION_PATIENCE_MS }, (error, stdout, stderr) => {
      const said = stdout.trim();
      if (error === null && said.startsWith("dgemma-ls ")) {
        resolve(said.slice("dgemma-ls ".length));
        return;
      }
      const why = lastLine(stderr) || (error === null ? `it said "${said.slice(0, 80)}"` : firstLine(error.message));
      reject(new Error(`${launch.program} (${launch.origin}) does not run dgemma-ls: ${why}`));
    });
  });
}

/** Start a server; its stderr goes to `log` line by line. */
export function startServer(launch: Launch, words: readonly string[], cwd: string, log: (line: string) => void): ServerProcess {
  const child = spawn(launch.program, [...launch.prefix, ...words], { cwd, stdio: "pipe" });
  let tail = "";
  let ended: string | undefined;
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    tail = (tail + text).slice(-TAIL_CHARS);
    text.split("\n").filter((line) => line.trim() !== "").forEach(log);
  });
  child.on("error", (error) => {
    ended = error.message;
  });
  child.on("exit", (code, signal) => {
    const how = signal === null ? `exit code ${code ?? "unknown"}` : `signal ${signal}`;
    const why = code === 0 ? "" : lastLine(tail);
    ended = why === "" ? how : `${how}: ${why}`;
  });
  return { child, ending: () => ended };
}

/** Wait until the process has said how it ended, for a moment. */
export async function ended(process: ServerProcess | undefined): Promise<void> {
  for (let tries = 0; tries < 50 && process !== undefined && process.ending() === undefined; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Run a command to its end, its output line by line to `log`; rejects if it fails or is cancelled. */
export function run(
  words: readonly [string, ...string[]],
  cwd: string,
  log: (line: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  const [program, ...rest] = words;
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, { cwd, stdio: ["ignore", "pipe", "pipe"], ...(signal && { signal }) });
    let tail = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        tail = (tail + text).slice(-TAIL_CHARS);
        text.split("\n").filter((line) => line.trim() !== "").forEach(log);
      });
    }
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) {
        resolve();
      } else {
        reject(new Error(`exit code ${code ?? "unknown"}: ${lastLine(tail)}`));
      }
    });
  });
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1)?.trim() ?? "";
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? "";
}
