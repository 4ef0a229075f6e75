/** Whether a server that died is started again: a few times, not for ever. */

const WINDOW_MS = 60_000;
export const MAX_RESTARTS = 3;

/** The times of a server's deaths within the last minute. */
export class Deaths {
  private times: number[] = [];

  /** Note one; tell whether the server may come back. */
  note(now: number): boolean {
    this.times = [...this.times.filter((time) => now - time < WINDOW_MS), now];
    return this.times.length <= MAX_RESTARTS;
  }

  /** The user wants another try. */
  forget(): void {
    this.times = [];
  }
}
