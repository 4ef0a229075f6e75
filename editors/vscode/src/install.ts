/** Installs the server into an environment of its own, if the user agrees to the commands. */
import * as vscode from "vscode";
import { onPath } from "./find";
import { ownEnvironment } from "./locate";
import { installPlan, shown, type Command } from "./plan";
import { isProgram, run } from "./process";

/** Ask, then install; true if the server is there now. */
export async function install(storage: string, log: vscode.LogOutputChannel): Promise<boolean> {
  const windows = process.platform === "win32";
  const look = (name: string): string | undefined => onPath(name, { env: process.env, windows, isProgram });
  const python = ["python3.13", "python3.12", "python3.11", "python3", "python"].map(look).find((it) => it !== undefined);
  const plan = installPlan({ uv: look("uv"), python }, ownEnvironment(storage), windows);
  if (plan === undefined) {
    await vscode.window.showErrorMessage(
      "dgemma: neither uv nor Python is on the PATH. Install Python 3.11 or later, then try again.",
    );
    return false;
  }
  const agreed = await vscode.window.showInformationMessage(
    "Install dgemma-ls into an environment of its own?",
    { modal: true, detail: `These commands will be run. They download packages from PyPI, among them PyTorch.\n\n${plan.map(shown).join("\n\n")}` },
    "Install",
    "Copy Commands",
  );
  if (agreed === "Copy Commands") {
    await vscode.env.clipboard.writeText(plan.map(shown).join("\n"));
  }
  return agreed === "Install" && (await runAll(plan, storage, log));
}

async function runAll(plan: readonly Command[], cwd: string, log: vscode.LogOutputChannel): Promise<boolean> {
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: "Installing dgemma-ls",
    cancellable: true,
  };
  return vscode.window.withProgress(options, async (progress, token) => {
    const abort = new AbortController();
    token.onCancellationRequested(() => {
      abort.abort();
    });
    for (const command of plan) {
      log.info(`$ ${shown(command)}`);
      try {
        await run(command, cwd, (line) => {
          log.info(line);
          progress.report({ message: line.slice(0, 80) });
        }, abort.signal);
      } catch (error) {
        if (!token.isCancellationRequested) {
          const why = error instanceof Error ? error.message : String(error);
          log.error(why);
          void vscode.window.showErrorMessage(`dgemma: ${shown(command).slice(0, 80)} failed: ${why}`);
        }
        return false;
      }
    }
    return true;
  });
}
