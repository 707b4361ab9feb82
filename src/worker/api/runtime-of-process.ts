/** The runtime of this process, which runs alone when no master has put one there. */
import { GracefulRunError } from '../../shared/errors.ts';
import { startAlone } from '../boot/start-alone.ts';
import { findRuntime, publishRuntime, type Runtime } from './runtime.ts';

/** Throws GracefulRunError `workerMisuse` when the master is of a version that does not fit. */
export function runtimeOfProcess(): Runtime {
  const found = findRuntime();
  if (found === 'other') {
    throw new GracefulRunError(
      'workerMisuse',
      'cannot join the master: it is of another version of graceful-run',
      {
        hint: 'install the same major version for the application and for the master',
      },
    );
  }
  if (found !== null) return found;
  const runtime = startAlone();
  publishRuntime(runtime);
  return runtime;
}
