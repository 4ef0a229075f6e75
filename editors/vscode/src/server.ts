/** The server's process and the client that talks to it: starts, stops, and what it is doing now. */
import { mkdir } from "node:fs/promises";
import * as vscode from "vscode";
import { State, type LanguageClient } from "vscode-languageclient/node";
import { advertisesNextEdits, makeClient, type ApplyEdit } from "./client";
import { Deaths } from "./deaths";
import type { Launch } from "./find";
import { locate } from "./locate";
import { ended, startServer, type ServerProcess } from "./process";
import { isShared } from "./settings";
import type { Life, ServerStatus } from "./view";

const START_PATIENCE_MS = 120_000; // a first import of torch from a slow disk

/** A client, its process, and whether it is to end. */
interface Connection {
  readonly client: LanguageClient;
  process: ServerProcess | undefined;
  wanted: boolean;
  /** Whether the server reads changed settings by itself. */
  pullsSettings: boolean;
}

/** Whether there is ghost text for a document. */
export type Suggested = Readonly<{ document: vscode.TextDocument; isSomething: boolean }>;

/** One server per window. */
export class Server implements vscode.Disposable {
  life: Life = "stopped";
  note = "";
  status: ServerStatus | undefined;
  paused = false;
  /** What is done with edits that the server sends, while a command wants something else than applying them. */
  applyEdit: ApplyEdit | undefined;
  /** What was run last, for the doctor. */
  launch: Launch | undefined;

  private connection: Connection | undefined;
  private readonly deaths = new Deaths();
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChange = this.changed.event;
  private readonly suggested = new vscode.EventEmitter<Suggested>();
  readonly onDidSuggest = this.suggested.event;
  private queue: Promise<unknown> = Promise.resolve();
  /** Grows with each wish of the user: a start that an older one led to is given up. */
  private wish = 0;

  constructor(
    private readonly storage: string,
    private readonly extensionVersion: string,
    readonly log: vscode.LogOutputChannel,
  ) {}

  /** The client, if it runs. */
  get client(): LanguageClient | undefined {
    return this.life === "running" ? this.connection?.client : undefined;
  }

  /** Whether it reads changed settings by itself; otherwise it has to be started again. */
  get pullsSettings(): boolean {
    return this.connection?.pullsSettings ?? false;
  }

  /** Tell whether the server advertises a command. */
  offers(command: string): boolean {
    return this.client?.initializeResult?.capabilities.executeCommandProvider?.commands.includes(command) ?? false;
  }

  /** Tell whether the server can say which edit may come next. */
  get offersNextEdits(): boolean {
    return advertisesNextEdits(this.client?.initializeResult?.capabilities.experimental);
  }

  /** Stop what runs, and start anew. The user's wish, so that earlier deaths do not count. */
  restart(): Promise<void> {
    this.deaths.forget();
    this.giveUpStart();
    return this.enqueue(async () => {
      await this.stop();
      await this.start();
    });
  }

  setPaused(paused: boolean): void {
    this.paused = paused;
    this.changed.fire();
  }

  async shutDown(): Promise<void> {
    this.giveUpStart();
    await this.enqueue(() => this.stop());
  }

  dispose(): void {
    void this.shutDown();
    this.changed.dispose();
    this.suggested.dispose();
  }

  /** What hangs must not keep the next wish waiting. */
  private giveUpStart(): void {
    this.wish += 1;
    if (this.life === "starting") {
      this.connection?.process?.child.kill();
    }
  }

  private enqueue(work: () => Promise<void>): Promise<void> {
    const done = this.queue.then(work);
    this.queue = done.catch((error: unknown) => {
      this.log.error(String(error));
    });
    return done;
  }

  private turn(life: Life, note: string): void {
    this.life = life;
    this.note = note;
    if (life !== "running") {
      this.status = undefined;
    }
    this.changed.fire();
  }

  private async start(): Promise<void> {
    const wish = this.wish;
    this.turn("starting", "");
    await mkdir(this.storage, { recursive: true });
    const found = await locate(this.storage);
    if ("complaints" in found) {
      found.complaints.forEach((it) => {
        this.log.warn(it);
      });
      this.turn("missing", found.complaints[0] ?? "dgemma-ls was not found");
      return;
    }
    this.launch = found.launch;
    this.log.info(`dgemma-ls ${found.version} from ${found.launch.origin}: ${found.launch.program}`);
    const ways = isShared() ? (["attach", "--stdio"] as const) : (["--stdio"] as const);
    let why = "";
    for (const way of ways) {
      if (wish !== this.wish) {
        return;
      }
      try {
        await this.connect(found.launch, way);
        const how = way === "attach" ? "shared with other windows" : "of this window's own";
        this.turn("running", `Server: ${found.version}, ${how}`);
        return;
      } catch (error) {
        why = this.connection?.process?.ending() ?? (error instanceof Error ? error.message : String(error));
        this.log.error(`${found.launch.program} ${way} did not start: ${why}`);
        await this.stop();
      }
    }
    this.turn("failed", why);
  }

  private async connect(launch: Launch, way: "attach" | "--stdio"): Promise<void> {
    const connection: Connection = { client: this.makeClient(launch, way), process: undefined, wanted: true, pullsSettings: false };
    this.connection = connection;
    connection.client.onNotification("didChangeStatus", (status: ServerStatus) => {
      this.status = status;
      this.changed.fire();
    });
    const timer = setTimeout(() => connection.process?.child.kill(), START_PATIENCE_MS);
    try {
      await connection.client.start();
    } finally {
      clearTimeout(timer);
    }
  }

  private makeClient(launch: Launch, way: "attach" | "--stdio"): LanguageClient {
    const connect = (): Promise<ServerProcess["child"]> => {
      const started = startServer(launch, [way], this.storage, (line) => {
        this.log.info(line);
      });
      if (this.connection !== undefined) {
        this.connection.process = started;
      }
      return Promise.resolve(started.child);
    };
    return makeClient(connect, this.log, this.extensionVersion, {
      isQuiet: () => this.paused,
      onSuggested: (document, isSomething) => {
        this.suggested.fire({ document, isSomething });
      },
      applyEdit: (params, next) => (this.applyEdit ?? ((it, apply) => apply(it)))(params, next),
      onClosed: () => {
        this.onClosed();
      },
      onPullsSettings: () => {
        if (this.connection !== undefined) {
          this.connection.pullsSettings = true;
        }
      },
    });
  }

  /** The connection is gone though nobody asked for it. */
  private onClosed(): void {
    const gone = this.connection;
    if (gone?.wanted !== true || this.life !== "running") {
      return; // a start that fails is told of by start()
    }
    gone.wanted = false;
    const comesBack = this.deaths.note(Date.now());
    this.turn(comesBack ? "starting" : "failed", "");
    void this.enqueue(async () => {
      await ended(gone.process);
      const how = gone.process?.ending() ?? "the connection was closed";
      this.connection = undefined;
      if (comesBack) {
        await this.start();
      } else {
        this.turn("failed", `The server ended too often; the last time with ${how}.`);
      }
      this.tellOfDeath(how);
    });
  }

  private tellOfDeath(how: string): void {
    const again = this.life === "running";
    const what = again ? "and was started again" : "and stays off";
    const words = `dgemma: the server ended (${how}) ${what}.`;
    this.log.warn(words);
    const actions = again ? ["Show Log"] : ["Show Log", "Restart"];
    const show = again ? vscode.window.showWarningMessage : vscode.window.showErrorMessage;
    void show(words, ...actions).then((chosen) => {
      if (chosen === "Show Log") {
        this.log.show();
      } else if (chosen === "Restart") {
        void this.restart();
      }
    });
  }

  private async stop(): Promise<void> {
    const connection = this.connection;
    this.connection = undefined;
    if (connection === undefined) {
      return;
    }
    connection.wanted = false;
    this.turn("stopped", "");
    try {
      if (connection.client.state === State.Running) {
        await connection.client.stop();
      }
    } catch (error) {
      this.log.warn(`the server did not stop by itself: ${String(error)}`);
    }
    if (connection.process?.ending() === undefined) {
      connection.process?.child.kill();
    }
  }
}
