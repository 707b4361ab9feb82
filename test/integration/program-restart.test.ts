// One program without a master around it: it can be started again, and what has to survive the master is plain data.
import { readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, onTestFinished, test } from 'vitest';
import type { MasterRecord } from '../../src/master/handover/record.ts';
import { createLogFilesLoader } from '../../src/master/output/log-files-loader.ts';
import { compileProgram, type PlanOptions, type ProgramOptions } from '../../src/master/config/options.ts';
import { createMaster } from '../../src/master/master.ts';
import { system } from '../../src/master/process/system.ts';
import type { ManagedProgram } from '../../src/master/program/managed-program.ts';
import { createProgram } from '../../src/master/program/program.ts';
import type { MasterEvent } from '../../src/shared/events.ts';
import { eventually } from '../helpers/eventually.ts';
import { freePort, whoAnswers } from '../helpers/plain-client.ts';
import { app, temporaryFolder } from '../helpers/run-master.ts';

interface Running {
  readonly program: ManagedProgram;
  /** Resolves with the next event of this name. */
  readonly next: (name: MasterEvent['event']) => Promise<void>;
}

function programOf(
  command: readonly string[],
  port: number,
  options: Partial<ProgramOptions> = {},
  platform = system,
): Running {
  let waiting: readonly { readonly name: string; readonly resolve: () => void }[] = [];
  const program = createProgram({
    plan: compileProgram(
      'shop',
      { command, host: '127.0.0.1', port, startretries: 0, probation: '0s', readyTimeout: '10s', ...options },
      process.cwd(),
    ),
    environment: process.env,
    platform,
    onStderr: () => undefined,
    onStdout: () => undefined,
    privateFolder: () => null,
    logFiles: createLogFilesLoader(),
    onEvent: ({ event }) => {
      const [done, left] = [
        waiting.filter(({ name }) => name === event),
        waiting.filter(({ name }) => name !== event),
      ];
      waiting = left;
      for (const { resolve } of done) resolve();
    },
  });
  const next = async (name: string): Promise<void> =>
    new Promise((resolve) => {
      waiting = [...waiting, { name, resolve }];
    });
  onTestFinished(async () => {
    if (program.phase() !== 'stopped') {
      const stopped = next('stopped');
      program.stop('embedder');
      await stopped;
    }
    await program.close();
  });
  return { program, next };
}

test('a program that stopped is bound and started again, and serves with the next generation', async () => {
  const port = await freePort();
  const { program, next } = programOf(app('serves'), port);
  for (const generation of [1, 2]) {
    await program.bind();
    expect(await program.start()).toMatchObject({ ok: true, generation });
    expect((await whoAnswers(port)).generation).toBe(generation);
    const stopped = next('stopped');
    program.stop('embedder');
    await stopped;
    await expect(whoAnswers(port)).rejects.toThrow('ECONNREFUSED');
  }
});

test('a program that has not to run for any time has run, however soon it ends', async () => {
  const master = createMaster({
    name: 'host',
    control: false,
    programs: {
      brief: { command: ['true'], type: 'worker', startsecs: '0s', autostart: false, autorestart: false },
    },
  });
  const failures: MasterEvent[] = [];
  master.subscribe((event) => {
    if (event.event === 'workerFailed') failures.push(event);
  });
  await master.start();
  onTestFinished(() => master.stop());
  const brief = master.program('brief');
  for (let times = 1; times <= 100; times += 1) {
    await brief.start();
    while (brief.status().state !== 'EXITED')
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
  }
  expect(failures).toEqual([]);
});

test('a worker that runs does not keep in memory the environment that it was started with', async () => {
  const environments: WeakRef<object>[] = [];
  const platform: typeof system = {
    ...system,
    spawn(request, handlers) {
      environments.push(new WeakRef(request.environment));
      return system.spawn(request, handlers);
    },
  };
  const { program } = programOf(app('serves'), await freePort(), {}, platform);
  await program.bind();
  expect(await program.start()).toMatchObject({ ok: true });
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  await eventually('the environment is no longer in memory', () => {
    collect();
    return environments.every((environment) => environment.deref() === undefined);
  });
  expect(environments).toHaveLength(1);
});

test('a program whose first start failed can be started again', async () => {
  const { program, next } = programOf(app('exits-before-ready'), await freePort());
  for (const generation of [1, 2]) {
    await program.bind();
    const stopped = next('stopped');
    expect(await program.start()).toMatchObject({ ok: false, generation });
    await stopped;
  }
});

const notifyScript = `
import os, socket, time
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'READY=1', os.environ['NOTIFY_SOCKET'])
time.sleep(60)`;

/** The sockets and pipes that this process has open: by descriptor, their names in /proc. */
function openSocketsAndPipes(): ReadonlyMap<number, string> {
  const files = readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [[Number(fd), readlinkSync(`/proc/self/fd/${fd}`)] as const];
    } catch {
      // The descriptor of the folder that was read.
      return [];
    }
  });
  return new Map(files.filter(([, file]) => /^(socket|pipe):/.test(file)));
}

/** Every descriptor that the record names. */
function descriptorsIn({ control, metrics, afterMasterFd, programs }: MasterRecord): readonly number[] {
  const ofPrograms = programs.flatMap(({ versions, workers }) => [
    ...versions.flatMap(({ listeners }) => listeners.flatMap(({ fd, slots }) => [fd, ...(slots?.fds ?? [])])),
    ...workers.flatMap(({ notifyFd, descriptors }) => [
      notifyFd,
      ...Object.values<number | null>({ ...descriptors }),
    ]),
  ]);
  return [control?.fd, metrics?.fd, afterMasterFd, ...ofPrograms].filter((fd) => typeof fd === 'number');
}

test('the record of a master is plain data, and names every socket and pipe that it has open', async () => {
  const planWith = (release: string): PlanOptions => ({
    name: 'recorded',
    metrics: { address: '127.0.0.1:0' },
    programs: {
      shop: {
        command: app('serves'),
        listen: ['127.0.0.1:0'],
        probation: '1m',
        environment: { RELEASE: release },
        stdoutLogfile: '/dev/null',
        // One that is not run here: its pipes would be open for a moment.
        hooks: { onFailure: 'true' },
      },
      mails: { command: ['sleep', '60'], type: 'worker', ready: 'notify', startsecs: '0s', autostart: false },
      jobs: {
        command: ['python3', '-c', notifyScript],
        type: 'worker',
        ready: 'notify',
        startsecs: '0s',
        stdoutLogfile: join(temporaryFolder(), 'jobs.log'),
        autostart: release === 'one',
      },
      night: { command: ['true'], type: 'oneshot', schedule: '0 4 * * *' },
    },
  });
  const before = openSocketsAndPipes();
  const environment = { ...process.env, XDG_RUNTIME_DIR: temporaryFolder() };
  const master = createMaster(planWith('one'), { environment });
  await master.start();
  onTestFinished(() => master.stop());
  await master.update(planWith('two'));
  const record = master.record();
  // JSON gives it back as it was.
  expect(JSON.parse(JSON.stringify(record))).toStrictEqual(record);
  expect(record.unsettled).toEqual([{ program: 'shop', keys: ['environment'], hasFailed: false }]);
  const [program, , , scheduled] = record.programs;
  expect(program?.lifecycle.phase).toBe('probation');
  // The old worker would be started again, should it crash, with what it was started with.
  expect(program?.versions.map(({ from, plan }) => [from, plan.environment['RELEASE']])).toEqual([
    [1, 'one'],
    [2, 'two'],
  ]);
  const [first, second] = program?.versions.map(({ listeners }) => listeners[0]?.fd) ?? [];
  expect(first).toBe(second);
  expect(program?.timers.map(({ key }) => key.timer)).toContain('probation');
  expect(program?.workers.map(({ wasReady, notifyPath }) => [wasReady, notifyPath])).toEqual([
    [true, null],
    [true, null],
  ]);
  expect(scheduled?.schedule).not.toBeNull();
  expect(record.runningOn).toEqual(['jobs']);
  expect(record.counts.programs.find(({ name }) => name === 'shop')?.counts.starts.succeeded).toBe(1);
  // Nothing that the master has open for itself and its workers is forgotten.
  const now = openSocketsAndPipes();
  const recorded = descriptorsIn(record).map((fd) => now.get(fd));
  expect(recorded).not.toContain(undefined);
  const opened = [...now.values()].filter((file) => ![...before.values()].includes(file));
  expect(opened.filter((file) => !recorded.includes(file))).toEqual([]);
  expect(opened.length).toBeGreaterThan(8);
});

test('a program watches what it has watched until another watch has begun', async () => {
  const [first, second] = [join(temporaryFolder(), 'first'), join(temporaryFolder(), 'second')];
  for (const file of [first, second]) writeFileSync(file, '1');
  const { program, next } = programOf(app('serves'), await freePort(), { watch: [first] });
  await program.bind();
  await program.watch();
  await program.start();
  const failed = next('watchFailed');
  program.change({ ...program.plan(), watch: [join(second, 'gone')] }, null);
  await failed;
  const [changed, reloaded] = [next('fileChanged'), next('generationReady')];
  writeFileSync(first, '2');
  await changed;
  await reloaded;
  const begun = next('watchStarted');
  program.change({ ...program.plan(), watch: [second] }, null);
  await begun;
  const again = next('fileChanged');
  writeFileSync(second, '2');
  await again;
});
