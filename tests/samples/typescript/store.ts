import { readFile } from "node:fs/promises";

export interface Item<T = unknown> {
  readonly id: string;
  value: T;
  tags?: string[];
}

type Listener<T> = (item: Item<T>) => void | Promise<void>;

export class Store<T> {
  private readonly items = new Map<string, Item<T>>();
  #listeners: Listener<T>[] = [];

  async load(path: string): Promise<number> {
    const lines = (await readFile(path, "utf8")).split(/\r?\n/);
    for (const line of lines.filter((it) => it.trim() !== "")) {
      const item = JSON.parse(line) as Item<T>;
      this.items.set(item.id, item);
      await Promise.all(this.#listeners.map((listen) => listen(item)));
    }
    return this.items.size;
  }

  get(id: string): T | undefined {
    return this.items.get(id)?.value ?? undefined;
  }

  describe = (id: string): string => `${id}: ${JSON.stringify(this.get(id), null, 2)} → ok`;
}
