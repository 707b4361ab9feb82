/**
 * A thread beside the application that reports where the main thread is when that thread no longer answers. It sleeps until the master asks. It looks through the
 * inspector of V8, which interrupts JavaScript that loops: no port is opened, no signal is taken, and nothing changes before the master asks. (What
 * Node.js does itself at a signal, --report-on-signal, waits for the event loop.)
 */
import type * as inspector from 'node:inspector';
import { isRecord } from '../../shared/protocol.ts';

/** The handles of the sockets, kept so that their descriptors stay open. */
const handles: unknown[] = [];

/** Starts the thread. `handle`: of a connected socket to the master. Throws if the thread cannot be started. */
export function startHangLocator(handle: unknown): void {
  const fd = isRecord(handle) ? handle['fd'] : null;
  if (typeof fd !== 'number' || fd < 0) throw new Error('it has no descriptor');
  const { Worker } = process.getBuiltinModule('node:worker_threads');
  const thread = new Worker(`(${hangLocator.toString()})()`, {
    eval: true,
    name: 'graceful-run watchdog',
    workerData: fd,
    // The thread inherits nothing from the application: no preload, no variables.
    execArgv: [],
    env: {},
    resourceLimits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 16, stackSizeMb: 1 },
  });
  handles.push(handle);
  thread.unref();
  // If the thread cannot look, there is no stack.
  thread.on('error', () => undefined);
}

/**
 * The code of the thread. Only its text is passed on, so it uses nothing from outside. Each byte that arrives asks for the stack; an answer is a line
 * of JSON.
 */
function hangLocator(): void {
  const threads = process.getBuiltinModule('node:worker_threads');
  const net = process.getBuiltinModule('node:net');
  const { Session } = process.getBuiltinModule('node:inspector');
  const master = new net.Socket({ fd: Number(threads.workerData), readable: true, writable: true });
  let isLooking = false;

  const look = (): void => {
    if (isLooking) return;
    isLooking = true;
    const files = new Map<string, string>();
    const session = new Session();
    session.connectToMainThread();
    session.on('Debugger.scriptParsed', ({ params }) => {
      files.set(params.scriptId, params.url);
    });
    session.on(
      'Debugger.paused',
      ({ params }: inspector.InspectorNotification<inspector.Debugger.PausedEventDataType>) => {
        const frames = params.callFrames.slice(0, 30).map(({ functionName, location }) => {
          const { scriptId, lineNumber, columnNumber = 0 } = location;
          const file = (files.get(scriptId) ?? '').replace(/^file:\/\//, '');
          return `${functionName || '<anonymous>'} (${file || '<anonymous>'}:${lineNumber + 1}:${columnNumber + 1})`.slice(
            -300,
          );
        });
        session.post('Debugger.resume');
        session.disconnect();
        isLooking = false;
        master.write(`${JSON.stringify(frames)}\n`);
      },
    );
    session.post('Debugger.enable');
    session.post('Debugger.pause');
  };

  master.on('data', look);
  master.on('error', () => undefined);
}
