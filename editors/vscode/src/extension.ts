/** Wires the parts together. */
import * as vscode from "vscode";
import { fillHoles, fixDocument, reviewDocument, rewriteSelection } from "./actions";
import { COMMANDS } from "./arguments";
import { install } from "./install";
import { NextEdits } from "./nextEdit";
import { MACHINE_SETTINGS, WINDOW_SETTINGS } from "./options";
import { registerPreview } from "./preview";
import { run } from "./process";
import { Server } from "./server";
import { concerns, inForce, readServerSetting, setModel } from "./settings";
import { showMenu, showStatus } from "./status";

const RESTARTING_SETTINGS = ["path", "share", ...MACHINE_SETTINGS];

let server: Server | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel("dgemma-ls", { log: true });
  const { version } = context.extension.packageJSON as { version: string };
  const storage = context.globalStorageUri.fsPath;
  const current = new Server(storage, version, log);
  server = current;
  const nextEdits = new NextEdits(current, vscode.Uri.joinPath(context.extensionUri, "media"));
  const restart = async (): Promise<void> => {
    await current.restart();
    if (current.life === "missing") {
      await tellMissing(current, offerToInstall);
    }
  };
  const offerToInstall = async (): Promise<void> => {
    if (await install(storage, log)) {
      await restart();
    }
  };
  const restartUnasked = (): void => {
    restart().catch((error: unknown) => {
      log.error(String(error));
    });
  };
  let before = inForce(RESTARTING_SETTINGS);
  const handlers: Record<string, () => unknown> = {
    rewriteSelection: () => rewriteSelection(current),
    fillHolesAtCursors: () => fillHoles(current),
    fixTyposInDocument: () => fixDocument(current),
    reviewTyposInDocument: () => reviewDocument(current),
    suggestNextEdit: () => nextEdits.suggest(),
    takeNextEdit: () => nextEdits.take(),
    dismissNextEdit: () => {
      nextEdits.dismiss();
    },
    menu: () => showMenu(current),
    togglePause: () => {
      togglePause(current);
    },
    restart,
    showLog: () => {
      log.show();
    },
    switchModel: () => switchModel(),
    doctor: () => runDoctor(current, storage),
    install: offerToInstall,
  };
  context.subscriptions.push(
    current,
    nextEdits,
    registerPreview(),
    showStatus(current),
    current.onDidChange(() => {
      setContextKeys(current);
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(restartUnasked),
    vscode.workspace.onDidChangeConfiguration((change) => {
      // A folder may name others, which are not in force; the editor says that they have changed.
      const now = inForce(RESTARTING_SETTINGS);
      const needsRestart = now !== before;
      before = now;
      if (needsRestart || (!current.pullsSettings && concerns(change, WINDOW_SETTINGS))) {
        restartUnasked();
      }
    }),
    ...Object.entries(handlers).map(([name, handler]) => vscode.commands.registerCommand(`dgemma.${name}`, handler)),
  );
  // The log is not among them: the editor disposes of these without waiting for deactivate(), while
  // the client is still ending and writes into it; a closed one throws. It ends with its host.
  // The editor does not wait: a server may take seconds, and a question to the user for ever.
  restartUnasked();
}

export async function deactivate(): Promise<void> {
  await server?.shutDown();
}

async function tellMissing(current: Server, offerToInstall: () => Promise<void>): Promise<void> {
  const words = `dgemma: ${current.note}.`;
  const chosen = await vscode.window.showWarningMessage(words, "Install…", "Set Path", "Show Log");
  if (chosen === "Install…") {
    await offerToInstall();
  } else if (chosen === "Set Path") {
    await vscode.commands.executeCommand("workbench.action.openSettings", "dgemma.path");
  } else if (chosen === "Show Log") {
    current.log.show();
  }
}

function setContextKeys(current: Server): void {
  const keys = {
    running: current.life === "running",
    "can.rewrite": current.offers(COMMANDS.rewrite),
    "can.fillHoles": current.offers(COMMANDS.fillHoles),
    "can.fixDocument": current.offers(COMMANDS.fixDocument),
    "can.nextEdit": current.offersNextEdits,
  };
  for (const [name, value] of Object.entries(keys)) {
    void vscode.commands.executeCommand("setContext", `dgemma.${name}`, value);
  }
}

function togglePause(current: Server): void {
  current.setPaused(!current.paused);
  if (current.paused) {
    void vscode.commands.executeCommand("editor.action.inlineSuggest.hide");
    if (current.offers(COMMANDS.cancelAll)) {
      current.client?.sendRequest("workspace/executeCommand", { command: COMMANDS.cancelAll, arguments: [] }).catch((error: unknown) => {
        current.log.warn(String(error)); // it may be ending just now
      });
    }
  }
}

async function switchModel(): Promise<void> {
  const inForce = readServerSetting("model");
  const embedded = { label: "embedded", description: "small, comes with the server" };
  const folder = { label: "A folder…", description: "of a DiffusionGemma checkpoint" };
  const now = typeof inForce === "string" && inForce !== embedded.label ? [{ label: inForce, description: "in force" }] : [];
  const chosen = await vscode.window.showQuickPick([embedded, ...now, folder], { title: "Model" });
  if (chosen === folder) {
    const options = { canSelectFolders: true, canSelectFiles: false, openLabel: "Use This Model" };
    const [picked] = (await vscode.window.showOpenDialog(options)) ?? [];
    if (picked !== undefined) {
      await setModel(picked.fsPath);
    }
  } else if (chosen !== undefined) {
    await setModel(chosen.label);
  }
}

async function runDoctor(current: Server, storage: string): Promise<void> {
  const { launch, log } = current;
  if (launch === undefined) {
    void vscode.window.showWarningMessage("dgemma: there is no server to look at; run dgemma: Install Server…");
    return;
  }
  const model = readServerSetting("model");
  const words = typeof model === "string" && model !== "" ? ["--model", model] : [];
  const command = [launch.program, ...launch.prefix, "doctor", ...words] as const;
  log.show();
  const options = { location: vscode.ProgressLocation.Window, title: "dgemma: doctor" };
  await vscode.window.withProgress(options, async () => {
    try {
      await run(command, storage, (line) => {
        log.info(line);
      });
    } catch {
      void vscode.window.showWarningMessage("dgemma: the doctor found something that is not well; see the log.");
    }
  });
}
