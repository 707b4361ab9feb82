/** Processes that a wrapper waits for: Yarn starts the release that a project has committed by execFileSync. */
import type { HandOn } from './extend-start.ts';

const names = ['spawnSync', 'execFileSync', 'execSync'] as const;

export function replaceSynchronousStarts(childProcess: object, extend: HandOn): void {
  for (const name of names) {
    const original: unknown = Reflect.get(childProcess, name);
    if (typeof original !== 'function') continue;
    const replacement = (file: unknown, ...rest: readonly unknown[]): unknown => {
      const [first, second] = rest;
      const words: readonly unknown[] = Array.isArray(first) ? [first] : [];
      const given = words.length === 0 ? first : second;
      const options: object = typeof given === 'object' && given !== null ? given : {};
      const isShell = name === 'execSync' || Boolean(Reflect.get(options, 'shell'));
      const extended = extend({
        file: isShell ? '/bin/sh' : file,
        stdio: Reflect.get(options, 'stdio') ?? 'pipe',
        pairs: pairsOf(Reflect.get(options, 'env') ?? process.env),
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
  if (typeof environment !== 'object' || environment === null) return [];
  // As Node.js does, which lets a program leave out a variable by undefined.
  return Object.keys(environment).flatMap((name) => {
    const value: unknown = Reflect.get(environment, name);
    return value === undefined ? [] : [`${name}=${value as string}`];
  });
}
