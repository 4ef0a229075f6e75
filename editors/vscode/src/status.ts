/** The item in the status bar, and its menu. */
import * as vscode from "vscode";
import type { Server } from "./server";
import { isDisabled } from "./settings";
import { view } from "./view";

/** The part of `dgemma/status` that is shown. */
interface Details {
  readonly model?: string;
  readonly device?: string;
  readonly counters?: Readonly<Record<string, number>>;
}

/** Show the item until it is disposed. */
export function showStatus(server: Server): vscode.Disposable {
  const item = vscode.window.createStatusBarItem("dgemma.status", vscode.StatusBarAlignment.Right, 100);
  item.name = "dgemma";
  item.command = "dgemma.menu";
  let details: Details = {};
  const draw = (): void => {
    const drawn = view({
      life: server.life,
      status: server.status,
      paused: server.paused,
      offHere: offHere(),
      model: details.model,
      device: details.device,
      note: server.note,
    });
    item.text = drawn.text;
    item.tooltip = drawn.lines.join("\n");
    item.accessibilityInformation = { label: drawn.label, role: "button" };
    item.backgroundColor =
      drawn.alarm === "none" ? undefined : new vscode.ThemeColor(`statusBarItem.${drawn.alarm}Background`);
  };
  const refresh = async (): Promise<void> => {
    details = await ask(server);
    draw();
  };
  draw();
  item.show();
  let wasBusy = true;
  return vscode.Disposable.from(
    item,
    vscode.window.onDidChangeActiveTextEditor(draw),
    vscode.workspace.onDidChangeConfiguration(draw),
    server.onDidChange(() => {
      draw();
      const busy = server.life !== "running" || server.status?.busy === true;
      if (wasBusy && !busy) {
        void refresh();
      }
      wasBusy = busy;
    }),
  );
}

/** Show the menu of the item. */
export async function showMenu(server: Server): Promise<void> {
  const details = await ask(server);
  const about = view({
    life: server.life,
    status: server.status,
    paused: server.paused,
    offHere: offHere(),
    model: details.model,
    device: details.device,
    note: server.note,
  });
  const counters = Object.entries(details.counters ?? {}).map(([name, count]) => `${name}: ${count}`);
  const rows: (vscode.QuickPickItem & { command?: string; arguments?: unknown[] })[] = [
    server.paused
      ? { label: "$(debug-start) Resume suggestions", command: "dgemma.togglePause" }
      : { label: "$(debug-pause) Pause suggestions", command: "dgemma.togglePause" },
    { label: "$(debug-restart) Restart server", command: "dgemma.restart" },
    { label: "$(output) Show log", command: "dgemma.showLog" },
    {
      label: "$(symbol-misc) Switch model…",
      command: "dgemma.switchModel",
      ...(details.model !== undefined && { description: details.model }),
    },
    { label: "$(pulse) Run doctor", command: "dgemma.doctor" },
    { label: "$(settings-gear) Settings", command: "workbench.action.openSettings", arguments: ["dgemma"] },
  ];
  if (server.life === "missing") {
    rows.push({ label: "$(cloud-download) Install server…", command: "dgemma.install" });
  }
  if (counters.length > 0) {
    rows.push({ label: counters.join(" · "), kind: vscode.QuickPickItemKind.Separator });
  }
  const chosen = await vscode.window.showQuickPick(rows, { title: about.label, placeHolder: about.lines.slice(1).join(" · ") });
  if (chosen?.command !== undefined) {
    await vscode.commands.executeCommand(chosen.command, ...(chosen.arguments ?? []));
  }
}

function offHere(): string | undefined {
  const language = vscode.window.activeTextEditor?.document.languageId;
  return language !== undefined && isDisabled(language) ? `off for ${language} (dgemma.disabled_languages)` : undefined;
}

async function ask(server: Server): Promise<Details> {
  try {
    return (await server.client?.sendRequest<Details>("dgemma/status", {})) ?? {};
  } catch {
    return {}; // it may be ending just now
  }
}
