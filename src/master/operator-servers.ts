/**
 * The servers that a master has for its operators: the control socket, if the plan wants one, and the metrics address. Opens them, with the sockets of the
 * previous image of this process after an upgrade, and closes them.
 */
import { dirname } from 'node:path';
import { controlFolders, controlName } from '../shared/control-path.ts';
import { messageOf } from '../shared/errors.ts';
import type { MasterEvent } from '../shared/events.ts';
import type { MasterPlan } from './config/plan.ts';
import type { Commands } from './control/commands.ts';
import { openControlServer, type ControlServer, type InheritedControl } from './control/control-server.ts';
import type { MasterRecord } from './handover/record.ts';
import type { MetricsServer } from './metrics/metrics-server.ts';
import type { Platform } from './process/platform.ts';

export interface OperatorServersParts {
  readonly environment: NodeJS.ProcessEnv;
  readonly platform: Pick<Platform, 'arm'>;
  /** The master's part of the plan, as it is now. */
  readonly plan: () => MasterPlan;
  readonly name: () => string;
  readonly commands: Commands;
  /** Whether the control socket keeps the process alive, even if no program runs. */
  readonly keepsAlive: boolean;
  /** False once the master is told to stop: then the name of another master is not waited for. */
  readonly isWanted: () => boolean;
  readonly publish: (event: MasterEvent) => void;
}

/** What has to be handed over to the next image of this process. */
export type OperatorServersRecord = Pick<MasterRecord, 'control' | 'metrics'>;

export interface OperatorServers {
  /** Opens the control socket, unless it is open or the plan wants none. Errors: those of openControlServer(). */
  openControl(): Promise<void>;
  /** Opens the metrics address, if the plan has one. Errors: those of openMetricsServer(). */
  openMetrics(): Promise<void>;
  /** Takes the control socket over. Without it, the programs run on: that it is lost is reported. */
  resumeControl(before: OperatorServersRecord): Promise<void>;
  /** Takes the metrics address over, as resumeControl() does the control socket. */
  resumeMetrics(before: OperatorServersRecord): Promise<void>;
  /** The path of the control socket; null if there is none. */
  controlPath(): string | null;
  /** The folder of the control socket, which only its user can open; null if there is none. */
  controlFolder(): string | null;
  /** Makes the control socket again if it was removed. */
  restoreControl(): void;
  /** Whether a control request is being answered. */
  isAnswering(): boolean;
  record(): OperatorServersRecord;
  /** A client that waits for the end of the master takes the end of the control socket as that: call it last. */
  close(): Promise<void>;
}

/** How long to wait before looking again whether the previous master of this name has ended. */
const namePauseMs = 100;

export function createOperatorServers(parts: OperatorServersParts): OperatorServers {
  const { environment, platform, plan, name, commands, keepsAlive, isWanted, publish } = parts;
  let control: ControlServer | null = null;
  let metrics: MetricsServer | null = null;

  async function openControl(before: InheritedControl | null): Promise<void> {
    if (control !== null || !plan().hasControl) return;
    let told: number | null = null;
    control = await openControlServer({
      name: before === null ? name() : (controlName(before.path) ?? name()),
      folders: controlFolders(environment, process.geteuid?.() ?? 0),
      commands,
      keepsAlive,
      inherited: before,
      // The other master's drain timeout ends this wait. A supervisor may start the next master before the last one has drained.
      wait: async (holder) => {
        if (!isWanted()) return false;
        if (holder !== told) publish({ event: 'nameBusy', holder });
        told = holder;
        await new Promise<void>((resolve) => {
          platform.arm(namePauseMs, resolve);
        });
        return isWanted();
      },
      onChange: (change) => {
        publish({ event: 'controlSocketChanged', ...change });
      },
    });
  }

  async function openMetrics(inheritedFd: number | null): Promise<void> {
    const { metrics: wanted } = plan();
    if (wanted === null) return;
    // Loaded only if it is needed.
    const { openMetricsServer } = await import('./metrics/metrics-server.ts');
    metrics = await openMetricsServer({
      plan: wanted,
      render: commands.metrics,
      inheritedFd,
      onProblem: (problem) => {
        publish({ event: 'metricsFailed', problem });
      },
    });
    if (inheritedFd === null)
      publish({ event: 'metricsServed', isSecure: wanted.tls !== null, ...metrics.address });
  }

  return {
    openControl: async () => openControl(null),
    openMetrics: async () => openMetrics(null),
    async resumeControl({ control: held }) {
      if (held === null) return;
      await openControl(held).catch((error: unknown) => {
        // The socket was lost, and cannot be made again.
        const problem = messageOf(error);
        publish({ event: 'controlSocketChanged', change: 'lost', control: held.path, problem });
      });
    },
    async resumeMetrics({ metrics: held }) {
      if (held === null) return;
      await openMetrics(held.fd).catch((error: unknown) => {
        publish({ event: 'metricsFailed', problem: messageOf(error) });
      });
    },
    controlPath: () => control?.path ?? null,
    controlFolder: () => (control === null ? null : dirname(control.path)),
    restoreControl() {
      void control?.restore();
    },
    isAnswering: () => control?.isAnswering() === true,
    record: () => ({
      control: control === null ? null : { path: control.path, fd: control.fd() },
      metrics: metrics === null ? null : { address: metrics.address, fd: metrics.fd() },
    }),
    async close() {
      await metrics?.close();
      await control?.close();
    },
  };
}
