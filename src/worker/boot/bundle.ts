/**
 * The parts of the preload that are bundles of their own, so that no boot waits until they are compiled. scripts/worker-bundles.js
 * says how they are made, beside the preload.
 */
import type * as health from '../health/health-gate.ts';
import type * as refuseToListen from '../launcher/refuse-to-listen.ts';
import type * as separateChannel from '../channel/separate-channel.ts';
import type * as afterAdmission from './after-admission.ts';

interface Bundles {
  readonly 'after-admission': typeof afterAdmission;
  readonly health: typeof health;
  readonly 'separate-channel': typeof separateChannel;
  readonly 'refuse-to-listen': typeof refuseToListen;
}

/**
 * Reads a bundle now, while whatever is wrong with the installed package ends a candidate and nothing else; what it answers compiles
 * it, when it is called. By then a deploy may have replaced the package on disk, the application given up its rights, or replaced what this
 * is done with.
 * Throws what reading throws.
 */
export function openBundle<Name extends keyof Bundles>(name: Name): () => Bundles[Name] {
  const file = `${__dirname}/${name}.cjs`;
  const text = process.getBuiltinModule('node:fs').readFileSync(file, 'utf8');
  const { compileFunction } = process.getBuiltinModule('node:vm');
  return () => {
    const module = { exports: {} };
    const run = compileFunction(text, ['module', 'exports', 'require'], { filename: file });
    Reflect.apply(run, undefined, [module, module.exports, require]);
    // Proven dispatch: it was made of the module of that name.
    return module.exports as Bundles[Name];
  };
}
