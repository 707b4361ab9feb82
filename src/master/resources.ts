/**
 * What the master opens before its first worker starts and closes at its end: listener, control socket, watch.
 * It owns their order, and the name that may come with the port. It must not know workers.
 */
import { dirname } from 'node:path';
import { controlFolders } from '../shared/control-path.ts';
import type { MasterEvent } from '../shared/events.ts';
import { version } from '../shared/version.ts';
import { openControlServer, type ControlHandlers, type ControlServer } from './control/control-server.ts';
import { bindPatienceMs, watchStableMs } from './config/defaults.ts';
import type { MasterSettings } from './config/options.ts';
import { programFile } from './launch/program-file.ts';
import { bindWithPatience } from './sockets/bind-with-retries.ts';
import { createFittedListeners, type FittedListeners } from './sockets/fitted-listeners.ts';
import type { BoundListener } from './sockets/listener.ts';
import type { Platform } from './process/platform.ts';
import type { Watch } from './watch/start-watch.ts';

/** How often it is looked whether the master of this name has ended. */
const namePauseMs = 100;

export interface DoorParts {
  readonly settings: MasterSettings;
  readonly environment: NodeJS.ProcessEnv;
  readonly platform: Platform;
  /** What the control socket asks for. */
  readonly handlers: ControlHandlers;
  /** False when a stop was asked for: then it is no use to wait for an address. */
  readonly isWanted: () => boolean;
  readonly publish: (event: MasterEvent) => void;
  /** A watched path has new content. */
  readonly changed: () => void;
}

export interface Doors {
  /** Empty until they are open. */
  readonly listeners: readonly BoundListener[];
  /** What stands for them, where the program asks for addresses of its own. */
  readonly fitted: FittedListeners;
  /** The master's name: what `--name` says, else the port, which with port 0 is known when it is bound. */
  name(): string;
  /** Opens them all. Errors: those of Master.start() that are not about the command. After one, close() is still to be called. */
  open(): Promise<void>;
  /** The folder of the control socket, which only this user can open; null without one. */
  controlFolder(): string | null;
  /** Makes the control socket again if it was removed. */
  restoreControl(): void;
  /** Lets go of everything that is held. */
  close(): Promise<void>;
}

export function createDoors(parts: DoorParts): Doors {
  const { settings, environment, platform, publish } = parts;
  const listeners: BoundListener[] = [];
  const fitted = createFittedListeners(listeners, tellBound);
  let name = settings.name ?? String(settings.port);
  let control: ControlServer | null = null;
  let watch: Watch | null = null;
  const closing = new AbortController();

  async function open(): Promise<void> {
    // A master of this name that lives says so better than its port does. With port 0 the name comes with the port.
    if (settings.port !== 0 || settings.name !== null) await openControl();
    listeners.push(await bind());
    if (control === null) await openControl();
    await openWatch();
    publish({ event: 'masterStarted', pid: process.pid, version, control: control?.path ?? null });
    for (const listener of listeners) tellBound(listener);
  }

  function tellBound({ name: listener, host, port }: BoundListener): void {
    publish({ event: 'listenerBound', listener, host, port });
  }

  async function bind(): Promise<BoundListener> {
    const { host, port, backlog } = settings;
    const bound = await bindWithPatience(
      { name: 'default', host, port, backlog },
      bindPatienceMs,
      parts.isWanted,
      {
        busy: (patienceMs) => {
          publish({ event: 'addressBusy', host, port, patienceMs });
        },
        killed: (pids) => {
          publish({ event: 'orphansKilled', port, pids });
        },
      },
      platform,
    );
    name = settings.name ?? String(bound.port);
    return bound;
  }

  async function openControl(): Promise<void> {
    if (!settings.hasControl) return;
    let told: number | null = null;
    control = await openControlServer({
      name,
      folders: controlFolders(environment, process.geteuid?.() ?? 0),
      handlers: parts.handlers,
      // Its drain timeout ends that. A supervisor may start the next master before the last one has drained.
      wait: async (holder) => {
        if (!parts.isWanted()) return false;
        if (holder !== told) publish({ event: 'nameBusy', holder });
        told = holder;
        await new Promise<void>((resolve) => {
          platform.arm(namePauseMs, resolve);
        });
        return parts.isWanted();
      },
      onChange: (change) => {
        publish({ event: 'controlSocketChanged', ...change });
      },
    });
  }

  async function openWatch(): Promise<void> {
    if (settings.watch === null) return;
    const { command, cwd } = settings;
    const paths = settings.watch.length > 0 ? settings.watch : [programFile(command, { cwd, environment })];
    // Loaded only where it is wanted: it brings the hashes along, 2 MB and more.
    const { startWatch } = await import('./watch/start-watch.ts');
    watch = await startWatch({
      paths,
      stableMs: watchStableMs,
      signal: closing.signal,
      onChange: (path) => {
        publish({ event: 'fileChanged', path });
        parts.changed();
      },
      onProblem: (problem) => {
        publish({ event: 'watchFailed', problem });
      },
    });
    publish({ event: 'watchStarted', paths });
  }

  return {
    listeners,
    fitted,
    name: () => name,
    controlFolder: () => (control === null ? null : dirname(control.path)),
    open,
    restoreControl() {
      void control?.restore();
    },
    async close() {
      // A first look at what is watched may take long.
      closing.abort();
      for (const listener of listeners) listener.close();
      await watch?.close();
      await control?.close();
    },
  };
}
