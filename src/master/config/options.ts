/**
 * What a user may ask of a master, checked once and compiled into frozen settings: durations in ms, counts as
 * numbers, defaults filled in.
 */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import * as z from 'zod/mini';
import { isProgramName } from '../../shared/control-path.ts';
import { parseDuration } from '../../shared/durations.ts';
import { GracefulRunError } from '../../shared/errors.ts';
import { nodeWorkers, type Readiness, type WorkerKind } from '../launch/worker-kind.ts';

/** What makes a worker ready: that it listens, or that it answers a GET of this path as well. */
export type ReadyWhen = 'listen' | `http:/${string}`;

/** Options of a master. Durations are written `30s`, `500ms`, `2m`. */
export interface MasterOptions {
  /** The program and its arguments: `['node', 'app.js']`. */
  readonly command: readonly string[];
  /** The TCP port to hold, 0 to 65535; 0: any free one. */
  readonly port: number;
  /** The address to bind: numeric, or a name. Default: what the program of the first generation asks for; every address until it does. */
  readonly host?: string;
  /** Length of the accept queue; the kernel caps it at net.core.somaxconn. Default 4096. */
  readonly backlog?: number;
  /** Name of the program: in logs, and of the control socket. Default: the port. */
  readonly name?: string;
  /** Workers that share the listener: 1 to 1024, or `auto` for one per core. Default 1. */
  readonly workers?: number | 'auto';
  /** Working directory of the workers, looked up anew for each one. Default: the master's. */
  readonly cwd?: string;
  /** File with `NAME=value` lines for the workers' environment, read anew for each one. */
  readonly environmentFile?: string;
  /** Reload when the content of these paths changes; `true`: the program's own file. Default: no watching. */
  readonly watch?: boolean | readonly string[];
  /**
   * When a worker counts as ready. `listen`, the default: as soon as it listens. `http:/path`: when moreover a GET of that path
   * was answered with 200 to 399. The request is made inside the worker's process, which has to be Node.js, before it gets any client.
   */
  readonly ready?: ReadyWhen;
  /**
   * GETs of the health path that a worker answers to itself after the first success and before it is ready, 0 to 10000; whatever
   * they are answered, and for 5s (or half of what is left of `readyTimeout`) at most. Needs `ready: 'http:/path'`. Default 0.
   */
  readonly warmup?: number;
  /** How long a worker may take to become ready, 1ms to 24h. Default 30s. */
  readonly readyTimeout?: string;
  /** How long a worker may drain before it gets SIGTERM (and SIGKILL 2s later), 0s to 24h. Default 30s. */
  readonly drainTimeout?: string;
  /**
   * For how long a new generation that serves can be taken back: until then the one before it keeps its workers and their connections,
   * and accepts again when a new worker crashes. 0s (not at all) to 24h. Default 2s.
   */
  readonly probation?: string;
  /** Move open connections to the new workers at a reload. Default true. */
  readonly migrate?: boolean;
  /** Open the control socket for gracefulctl. Default true. */
  readonly control?: boolean;
}

/** Compiled options. Durations in ms. */
export interface MasterSettings {
  readonly command: readonly string[];
  readonly host: string | null;
  readonly port: number;
  readonly backlog: number;
  /** Null: named after the port, once it is known. */
  readonly name: string | null;
  readonly workers: number;
  /** Absolute, symlinks not resolved. */
  readonly cwd: string;
  readonly environmentFile: string | null;
  /** Null: no watching. Empty: the program's own file. */
  readonly watch: readonly string[] | null;
  readonly workerKind: WorkerKind;
  readonly readyTimeoutMs: number;
  readonly drainTimeoutMs: number;
  /** 0: none. */
  readonly probationMs: number;
  readonly hasControl: boolean;
}

const dayMs = 86_400_000;

const duration = (minMs: number): z.ZodMiniType<string> => {
  const wanted = `a duration from ${minMs === 0 ? '0s' : `${minMs}ms`} to 24h, such as 30s, 500ms or 2m`;
  const isInRange = (text: string): boolean => {
    const ms = parseDuration(text);
    return ms !== null && ms >= minMs && ms <= dayMs;
  };
  return z.string(wanted).check(z.refine(isInRange, wanted));
};

const integer = (
  min: number,
  max: number,
  wanted: string = `a whole number from ${min} to ${max}`,
): z.ZodMiniType<number> => z.int(wanted).check(z.gte(min, wanted), z.lte(max, wanted));

const text = (wanted: string): z.ZodMiniType<string> => z.string(wanted).check(z.minLength(1, wanted));

const wantedName = 'a name of letters, digits, dot, dash and underscore, at most 64 of them';
const wantedWorkers = 'a whole number from 1 to 1024, or auto';
const wantedReady = 'listen, or http: and a path without spaces, such as http:/healthz';
const wantedCommand = "a list of words, such as ['node', 'app.js']";

const schema = z.strictObject({
  command: z.array(z.string(wantedCommand), wantedCommand),
  port: integer(0, 65_535),
  host: z.optional(text('an address or a host name')),
  backlog: z.optional(integer(1, 65_535)),
  name: z.optional(z.string(wantedName).check(z.refine(isProgramName, wantedName))),
  workers: z.optional(z.union([z.literal('auto'), integer(1, 1024, wantedWorkers)], wantedWorkers)),
  cwd: z.optional(text('a folder')),
  environmentFile: z.optional(text('a file')),
  watch: z.optional(z.union([z.boolean(), z.array(text('a path'))], 'true, or a list of paths')),
  ready: z.optional(z.string(wantedReady).check(z.refine(isReadyWhen, wantedReady))),
  warmup: z.optional(integer(0, 10_000)),
  readyTimeout: z.optional(duration(1)),
  drainTimeout: z.optional(duration(0)),
  probation: z.optional(duration(0)),
  migrate: z.optional(z.boolean('true or false')),
  control: z.optional(z.boolean('true or false')),
});

/** How errors name an option: as the command line writes it (`--ready-timeout`), or as code does (`readyTimeout`). */
export type OptionSpelling = 'commandLine' | 'code';

/** Checks and compiles. Errors: `badOption`, `commandMissing`. */
export function compileOptions(
  options: MasterOptions,
  here: string,
  spelling: OptionSpelling = 'code',
): MasterSettings {
  const parsed = schema.safeParse(options, { reportInput: true });
  if (!parsed.success) throw badOption(parsed.error.issues, spelling);
  const {
    command,
    host,
    port,
    backlog,
    name,
    workers,
    cwd,
    environmentFile,
    watch,
    ready,
    warmup,
    readyTimeout,
    drainTimeout,
    probation,
    migrate,
    control,
  } = parsed.data;
  if (command[0] === undefined || command[0] === '') {
    throw new GracefulRunError('commandMissing', 'cannot start: there is no command to run', {
      hint:
        spelling === 'code'
          ? `command is ${wantedCommand}`
          : 'put it after the options and two dashes: graceful-run --port 10086 -- node app.js',
    });
  }
  return Object.freeze({
    command,
    host: host ?? null,
    port,
    backlog: backlog ?? 4096,
    name: name ?? null,
    workers: workers === 'auto' ? availableParallelism() : (workers ?? 1),
    cwd: resolve(here, cwd ?? '.'),
    environmentFile: environmentFile === undefined ? null : resolve(here, environmentFile),
    watch:
      watch === true
        ? []
        : watch === false || watch === undefined
          ? null
          : watch.map((path) => resolve(here, path)),
    workerKind: nodeWorkers(readinessOf(ready, warmup ?? 0, spelling), migrate ?? true),
    readyTimeoutMs: parseDuration(readyTimeout ?? '30s') ?? 0,
    drainTimeoutMs: parseDuration(drainTimeout ?? '30s') ?? 0,
    probationMs: parseDuration(probation ?? '2s') ?? 0,
    hasControl: control ?? true,
  });
}

function readinessOf(ready: string | undefined, warmup: number, spelling: OptionSpelling): Readiness {
  if (ready !== undefined && ready !== 'listen')
    return { when: 'answers', path: ready.slice('http:'.length), warmup };
  if (warmup > 0) throw warmupWithoutPath(spelling);
  return { when: 'listens' };
}

/** A path as a request line takes it; `//host` would be read as another server's. */
function isReadyWhen(value: string): boolean {
  return value === 'listen' || /^http:\/(?!\/)[\x21-\x7e]{0,999}$/.test(value);
}

/** No path is safe to guess: that of the front page may be the most expensive one, and write to a database. */
function warmupWithoutPath(spelling: OptionSpelling): GracefulRunError {
  const { option, hint } =
    spelling === 'code'
      ? { option: 'ready', hint: "say which path: ready: 'http:/healthz'" }
      : { option: '--ready', hint: 'say which path: --ready http:/healthz' };
  return new GracefulRunError(
    'badOption',
    `cannot start: ${nameOf('warmup', spelling)} needs a path to ask, which ${option} names`,
    { hint },
  );
}

function badOption(issues: readonly z.core.$ZodIssue[], spelling: OptionSpelling): GracefulRunError {
  const [issue] = issues;
  const hint = spelling === 'code' ? 'see MasterOptions for what there is' : 'see graceful-run --help';
  if (issue?.code === 'unrecognized_keys') {
    const stranger = nameOf(issue.keys[0], spelling);
    return new GracefulRunError('badOption', `cannot start: there is no option ${stranger}`, { hint });
  }
  const [option] = issue?.path ?? [];
  const given = issue?.input === undefined ? '' : `, not ${JSON.stringify(issue.input)}`;
  return new GracefulRunError(
    'badOption',
    `cannot start: ${nameOf(option, spelling)} must be ${issue?.message ?? 'something else'}${given}`,
    { hint },
  );
}

function nameOf(option: PropertyKey | undefined, spelling: OptionSpelling): string {
  const name = String(option ?? '');
  return spelling === 'code'
    ? name
    : `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
