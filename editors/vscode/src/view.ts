/** What the status-bar item says. Knows no editor. */

/** `didChangeStatus` of the server. */
export interface ServerStatus {
  readonly kind: "Normal" | "Warning" | "Error" | "Inactive";
  readonly busy: boolean;
  readonly message: string;
}

/** How the extension sees the server's process. */
export type Life = "starting" | "running" | "missing" | "failed" | "stopped";

/** All that the item depends on. */
export interface Seen {
  readonly life: Life;
  readonly status: ServerStatus | undefined;
  readonly paused: boolean;
  /** Set if the document at hand gets no suggestions. */
  readonly offHere: string | undefined;
  readonly model: string | undefined;
  readonly device: string | undefined;
  /** One sentence about the process: how it runs or why it does not. */
  readonly note: string;
}

/** What is drawn. */
export interface View {
  readonly text: string;
  readonly lines: readonly string[];
  readonly alarm: "none" | "warning" | "error";
  /** For screen readers; icons say nothing to them. */
  readonly label: string;
}

const NAME = "dgemma";

/** Make the view. */
export function view(seen: Seen): View {
  const [icon, word, alarm] = state(seen);
  const about = [
    seen.model === undefined ? "" : `Model: ${seen.model}`,
    seen.device === undefined ? "" : `Device: ${seen.device}`,
    seen.note,
  ];
  const lines = [`${NAME}: ${word}`, ...about].filter((line) => line !== "");
  return { text: `$(${icon}) ${NAME}`, lines, alarm, label: `${NAME}: ${word}` };
}

function state(seen: Seen): [icon: string, word: string, alarm: View["alarm"]] {
  switch (seen.life) {
    case "starting":
      return ["loading~spin", "starting", "none"];
    case "missing":
      return ["warning", "the server is not installed", "warning"];
    case "failed":
      return ["error", "the server does not run", "error"];
    case "stopped":
      return ["circle-slash", "stopped", "none"];
    case "running":
      break;
  }
  const status = seen.status;
  if (status?.kind === "Error") {
    return ["error", status.message || "no model", "error"];
  }
  if (seen.paused) {
    return ["debug-pause", "paused", "none"];
  }
  if (seen.offHere !== undefined) {
    return ["circle-slash", `inactive: ${seen.offHere}`, "none"];
  }
  if (status?.kind === "Inactive") {
    return ["circle-slash", status.message ? `inactive: ${status.message}` : "inactive", "none"];
  }
  if (status?.kind === "Warning") {
    return ["warning", status.message || "works worse than it should", "warning"];
  }
  return status?.busy === true ? ["loading~spin", status.message || "busy", "none"] : ["sparkle", "ready", "none"];
}
