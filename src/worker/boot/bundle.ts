/**
 * Opens the parts of the preload that are bundles of their own, so that no boot waits until they are compiled. They lie beside the preload;
 * scripts/worker-bundles.js defines them.
 */
import type * as health from '../health/health-gate.ts';
import type * as refuseToListen from '../launcher/refuse-to-listen.ts';
import type * as datagrams from '../listen/datagram-sockets.ts';
import type * as keepFiles from '../listen/keep-files.ts';
import type * as siblingListeners from '../listen/sibling-listeners.ts';
import type * as separateChannel from '../channel/separate-channel.ts';
import type * as hangLocator from '../health/hang-locator.ts';
import type * as afterAdmission from './after-admission.ts';

interface Bundles {
  readonly 'after-admission': typeof afterAdmission;
  readonly health: typeof health;
  readonly 'separate-channel': typeof separateChannel;
  readonly 'refuse-to-listen': typeof refuseToListen;
  readonly 'keep-files': typeof keepFiles;
  readonly 'sibling-listeners': typeof siblingListeners;
  readonly datagrams: typeof datagrams;
  readonly 'hang-locator': typeof hangLocator;
}

/**
 * Reads a bundle now, and returns a function that compiles and runs it. Reading later would be too late: a deploy may have replaced the
 * package on disk, or the application may have given up its rights or replaced the functions used here. If the installed package is
 * broken, only a candidate fails. Throws what reading the file throws.
 */
export function openBundle<Name extends keyof Bundles>(name: Name): () => Bundles[Name] {
  const file = `${__dirname}/${name}.cjs`;
  // Bytes, which lie outside the heap: with less in its young generation, a small application boots without a garbage collection.
  const bytes = process.getBuiltinModule('node:fs').readFileSync(file);
  const readText = bytes.toString.bind(bytes);
  const { compileFunction } = process.getBuiltinModule('node:vm');
  return () => {
    const module = { exports: {} };
    const run = compileFunction(readText(), ['module', 'exports', 'require'], { filename: file });
    Reflect.apply(run, undefined, [module, module.exports, require]);
    // Proven dispatch: the bundle is built from the module of that name.
    return module.exports as Bundles[Name];
  };
}
