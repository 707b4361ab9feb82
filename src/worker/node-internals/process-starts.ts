/**
 * How `node:child_process` starts processes, and how to change a start: through the `spawn` of ChildProcess.prototype, which is not documented (Node
 * 20, 22, 24 and 26), and through the functions that wait for a process.
 */
import { isRecord } from '../../shared/protocol.ts';

/** How a process is started. */
export interface StartedProcess {
  readonly file: unknown;
  readonly stdio: unknown;
  /** Environment variables, as `NAME=value`. */
  readonly pairs: readonly string[];
}

/** The values that a changed start uses instead. */
export interface ExtendedStart {
  readonly stdio: unknown[];
  readonly pairs: string[];
}

/** Returns how the process is started instead, or null to leave the start unchanged. */
export type Extend = (started: StartedProcess) => ExtendedStart | null;

/** Changes every start that Node.js does not wait for: all of them call this method. */
export function replaceStarts(extend: Extend): void {
  const { prototype }: { prototype: object } = process.getBuiltinModule('node:child_process').ChildProcess;
  const start: unknown = Reflect.get(prototype, 'spawn');
  if (typeof start !== 'function') return;
  const replacement = {
    spawn(this: unknown, options: { file?: unknown; stdio?: unknown; envPairs?: unknown }): unknown {
      const { file, stdio, envPairs } = options;
      const pairs = Array.isArray(envPairs) ? envPairs.map(String) : [];
      const extended = extend({ file, stdio, pairs });
      if (extended !== null) Object.assign(options, { stdio: extended.stdio, envPairs: extended.pairs });
      return Reflect.apply(start, this, [options]);
    },
  };
  Object.defineProperty(prototype, 'spawn', {
    ...Object.getOwnPropertyDescriptor(prototype, 'spawn'),
    value: Reflect.get(replacement, 'spawn'),
  });
}

const synchronousStarts = ['spawnSync', 'execFileSync', 'execSync'] as const;

/** Changes every start that Node.js waits for. Yarn starts the release that a project has committed with execFileSync. */
export function replaceSynchronousStarts(extend: Extend): void {
  const childProcess: object = process.getBuiltinModule('node:child_process');
  for (const name of synchronousStarts) {
    const original: unknown = Reflect.get(childProcess, name);
    if (typeof original !== 'function') continue;
    const replacement = (file: unknown, ...rest: readonly unknown[]): unknown => {
      const [first, second] = rest;
      const words: readonly unknown[] = Array.isArray(first) ? [first] : [];
      const given = words.length === 0 ? first : second;
      const options: Readonly<Record<string, unknown>> = isRecord(given) ? given : {};
      const isShell = name === 'execSync' || Boolean(options['shell']);
      const extended = extend({
        file: isShell ? '/bin/sh' : file,
        stdio: options['stdio'] ?? 'pipe',
        pairs: pairsOf(options['env'] ?? process.env),
      });
      if (extended === null) return Reflect.apply(original, childProcess, [file, ...rest]) as unknown;
      const env = Object.fromEntries(
        extended.pairs.map((pair): [string, string] => {
          const [variable = '', value = ''] = pair.split(/=(.*)/s);
          return [variable, value];
        }),
      );
      const changed: object = { ...options, stdio: extended.stdio, env };
      return Reflect.apply(original, childProcess, [file, ...words, changed]) as unknown;
    };
    Reflect.set(childProcess, name, replacement);
  }
  process.getBuiltinModule('node:module').syncBuiltinESMExports();
}

function pairsOf(environment: unknown): readonly string[] {
  if (!isRecord(environment)) return [];
  // Node.js leaves out variables that are undefined, too.
  return Object.keys(environment).flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [`${name}=${value as string}`];
  });
}
