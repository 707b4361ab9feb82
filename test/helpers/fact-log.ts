/** Reads a log as it is written: its JSON lines are facts, everything else is what workers print. */
import type { Readable } from 'node:stream';
import type { Fact } from '../../src/shared/events.ts';

type EventName = Fact['event'];
export type FactOf<Event extends EventName> = Extract<Fact, { event: Event }>;
/** Some fields that a fact has to have, or a question to ask of it. */
export type Wanted<Event extends EventName> = Partial<FactOf<Event>> | ((fact: FactOf<Event>) => boolean);

const patienceMs = 20_000;

export class FactLog {
  readonly facts: Fact[] = [];
  /** The lines that are not facts, in the order in which they came. */
  readonly lines: string[] = [];
  /** Everything, as it was read. */
  output = '';
  /** The pid of the process that writes the log. */
  masterPid: number | null = null;
  readonly #checks = new Set<() => void>();
  #ended = false;

  read(stream: Readable): void {
    let rest = '';
    stream.setEncoding('utf8').on('data', (text: string) => {
      this.output += text;
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#take(line.replace(/\r$/, ''));
      this.#check();
    });
    stream.on('error', () => undefined);
  }

  /** Whoever waits for a fact that did not come, waits in vain from now on. */
  end(): void {
    this.#ended = true;
    this.#check();
  }

  /** All facts of one kind so far. */
  all<Event extends EventName>(event: Event, wanted: Wanted<Event> = {}): readonly FactOf<Event>[] {
    const isIt = (fact: Fact): fact is FactOf<Event> => fact.event === event;
    return this.facts.filter(isIt).filter((fact) => fits(fact, wanted));
  }

  /** The names of all facts about one generation, in order. */
  eventsOf(generation: number): readonly EventName[] {
    return this.facts
      .filter((fact) => 'generation' in fact && fact.generation === generation)
      .map(({ event }) => event);
  }

  /** The first such fact of all, past or to come. Rejects when the log ends without it. */
  waitFor<Event extends EventName>(event: Event, wanted: Wanted<Event> = {}): Promise<FactOf<Event>> {
    return this.#until(() => this.all(event, wanted)[0], `${event} ${JSON.stringify(wanted)}`);
  }

  /** The first line of a worker's output that contains `text`. */
  waitForLine(text: string, count = 1): Promise<string> {
    return this.#until(
      () => this.lines.filter((line) => line.includes(text))[count - 1],
      `the line '${text}'`,
    );
  }

  #take(line: string): void {
    const parsed = parse(line);
    if (parsed === null) {
      this.lines.push(line);
      return;
    }
    const { master, worker, ...fact } = parsed;
    for (const name of ['level', 'logId', 'msg']) Reflect.deleteProperty(fact, name);
    if (typeof master === 'number') this.masterPid ??= master;
    // In the log the worker's pid is `worker`, in a fact `pid`.
    const pid = 'slot' in fact ? { pid: worker } : fact['event'] === 'masterStarted' ? { pid: master } : {};
    this.facts.push({ ...fact, ...pid } as unknown as Fact);
  }

  #check(): void {
    for (const check of [...this.#checks]) check();
  }

  #until<Value>(find: () => Value | undefined, what: string): Promise<Value> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(patience);
        this.#checks.delete(check);
        act();
      };
      const giveUp = (why: string): void => {
        settle(() => {
          reject(new Error(`${why}: ${what}\n${this.tell()}`));
        });
      };
      const check = (): void => {
        const value = find();
        if (value !== undefined) {
          settle(() => {
            resolve(value);
          });
        } else if (this.#ended) giveUp('the log ended without');
      };
      const patience = setTimeout(giveUp, patienceMs, 'there was never');
      this.#checks.add(check);
      check();
    });
  }

  /** Everything so far, for a failed test. */
  tell(): string {
    return [...this.facts.map((fact) => JSON.stringify(fact)), ...this.lines.slice(-40)].join('\n');
  }
}

function fits<Event extends EventName>(fact: FactOf<Event>, wanted: Wanted<Event>): boolean {
  if (typeof wanted === 'function') return wanted(fact);
  return Object.entries(wanted).every(([name, value]) => Reflect.get(fact, name) === value);
}

function parse(line: string): Record<string, unknown> | null {
  if (!line.startsWith('{')) return null;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'event' in value ? { ...value } : null;
  } catch {
    return null;
  }
}
