/** Reads a log as it is written: its JSON lines are events, everything else is what workers print. */
import type { Readable } from 'node:stream';
import type { MasterEvent } from '../../src/shared/events.ts';

type EventName = MasterEvent['event'];
export type EventOf<Event extends EventName> = Extract<MasterEvent, { event: Event }>;
/** Some fields that an event has to have, or a question to ask of it. */
export type Wanted<Event extends EventName> = Partial<EventOf<Event>> | ((event: EventOf<Event>) => boolean);

const patienceMs = 20_000;

export class EventLog {
  readonly events: MasterEvent[] = [];
  /** The lines that are not events, in the order in which they came. */
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

  /** Whoever waits for an event that did not come, waits in vain from now on. */
  end(): void {
    this.#ended = true;
    this.#check();
  }

  /** All events of one kind so far. */
  all<Event extends EventName>(name: Event, wanted: Wanted<Event> = {}): readonly EventOf<Event>[] {
    const isIt = (event: MasterEvent): event is EventOf<Event> => event.event === name;
    return this.events.filter(isIt).filter((event) => fits(event, wanted));
  }

  /** The names of all events about one generation, in order. */
  eventsOf(generation: number): readonly EventName[] {
    return this.events
      .filter((event) => 'generation' in event && event.generation === generation)
      .map(({ event }) => event);
  }

  /** The first such event of all, past or to come, or the one with this number. Rejects when the log ends without it. */
  waitFor<Event extends EventName>(
    event: Event,
    wanted: Wanted<Event> = {},
    count = 1,
  ): Promise<EventOf<Event>> {
    return this.#until(
      () => this.all(event, wanted)[count - 1],
      `${event} ${JSON.stringify(wanted)} (number ${count})`,
    );
  }

  /** The first line of a worker's output that contains `text`. */
  waitForLine(text: string, count = 1): Promise<string> {
    return this.#until(
      () => this.lines.filter((line) => line.includes(text))[count - 1],
      `the line '${text}' (number ${count})`,
    );
  }

  #take(line: string): void {
    const parsed = parse(line);
    if (parsed === null) {
      this.lines.push(line);
      return;
    }
    const { master, worker, ...event } = parsed;
    for (const name of ['level', 'logId', 'msg']) Reflect.deleteProperty(event, name);
    if (typeof master === 'number') this.masterPid ??= master;
    // In the log the worker's pid is `worker`, in an event `pid`.
    const pid = 'slot' in event ? { pid: worker } : event['event'] === 'masterStarted' ? { pid: master } : {};
    this.events.push({ ...event, ...pid } as unknown as MasterEvent);
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
    return [...this.events.map((event) => JSON.stringify(event)), ...this.lines.slice(-40)].join('\n');
  }
}

function fits<Event extends EventName>(event: EventOf<Event>, wanted: Wanted<Event>): boolean {
  if (typeof wanted === 'function') return wanted(event);
  return Object.entries(wanted).every(([name, value]) => Reflect.get(event, name) === value);
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
