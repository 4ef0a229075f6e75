/** What the server is told at its start and when it asks for its configuration. */

/** The server's settings by their names in `dgemma_ls/settings.py`; a test compares the two. */
export const MACHINE_SETTINGS = ["model", "device", "unload_after_s", "record_dir", "statistics_file"] as const;
export const WINDOW_SETTINGS = [
  "n_candidates",
  "debounce_ms",
  "deadline_ms",
  "completion",
  "context",
  "typos",
  "typo_tier",
  "next_edits",
  "surprise",
] as const;

/** Gives the value of `dgemma.NAME` as it is in force. */
export type Read = (name: string) => unknown;

/** Make `initializationOptions`. */
export function initializationOptions(
  read: Read,
  trusted: boolean,
  versions: { readonly editor: string; readonly extension: string },
): Record<string, unknown> {
  // Without trust the server would complain about each of them, and use none.
  const names = trusted ? [...MACHINE_SETTINGS, ...WINDOW_SETTINGS] : WINDOW_SETTINGS;
  return {
    ...pick(names, read),
    trusted,
    editorInfo: { name: "Visual Studio Code", version: versions.editor }, // asks for its status
    editorPluginInfo: { name: "dgemma-ls", version: versions.extension },
  };
}

/** Answer `workspace/configuration` for the section `dgemma`: what the extension alone uses stays. */
export function configurationSection(read: Read): Record<string, unknown> {
  return pick(WINDOW_SETTINGS, read);
}

function pick(names: readonly string[], read: Read): Record<string, unknown> {
  const values = names.map((name) => [name, read(name)] as const);
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}
