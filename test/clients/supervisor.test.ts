// The same misbehaving programs under Debian's supervisord and under graceful-run, state by state.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { ProgramOptions } from '../../src/master/config/options.ts';
import { createMaster } from '../../src/master/master.ts';
import { eventually } from '../helpers/eventually.ts';
import { temporaryFolder } from '../helpers/run-master.ts';
import { fixture } from './fixture.ts';
import { mayRun } from '../helpers/required-programs.ts';

interface Step {
  readonly do: 'stop' | 'start';
  readonly states: readonly string[];
  /** Those of graceful-run, where it differs on purpose: docs/supervision.md, "Compared with Supervisor". */
  readonly own?: readonly string[];
}

interface Compared {
  readonly script: string;
  readonly options?: Pick<ProgramOptions, 'autorestart' | 'exitcodes' | 'startretries'>;
  /** In seconds. Default: 3. */
  readonly startsecs?: number;
  /** What is done to it once it has gone through `states` and the steps before, and the states after that. */
  readonly steps?: readonly Step[];
  /** As supervisord 4.2.5 went through them. Of a program that goes on for ever, the first ones. */
  readonly states: readonly string[];
}

const again = ['STARTING', 'RUNNING', 'EXITED', 'STARTING', 'RUNNING', 'EXITED', 'STARTING'] as const;
const givenUp = ['STARTING', 'BACKOFF', 'STARTING', 'BACKOFF', 'STARTING', 'BACKOFF', 'FATAL'] as const;

/** Supervisor refuses to stop what does not run. */
const stoppedAtRest: Step = { do: 'stop', states: [], own: ['STOPPED'] };

const programs: Readonly<Record<string, Compared>> = {
  fails: {
    script: 'exit 1',
    options: { startretries: 2 },
    states: givenUp,
    steps: [stoppedAtRest, { do: 'start', states: givenUp }],
  },
  exitsTooEarly: {
    script: 'exit 0',
    options: { startretries: 1, autorestart: 'unexpected' },
    states: ['STARTING', 'BACKOFF', 'STARTING', 'BACKOFF', 'FATAL'],
  },
  isDone: {
    script: 'sleep 5',
    options: { autorestart: 'unexpected' },
    states: ['STARTING', 'RUNNING', 'EXITED'],
    steps: [
      { do: 'start', states: ['STARTING', 'RUNNING', 'EXITED'] },
      stoppedAtRest,
      { do: 'start', states: ['STARTING', 'RUNNING', 'EXITED'] },
    ],
  },
  endsAtOnceWithoutStartsecs: {
    script: 'exit 0',
    startsecs: 0,
    options: { autorestart: 'unexpected' },
    states: ['STARTING', 'RUNNING', 'EXITED'],
  },
  crashesAtOnceWithoutStartsecs: {
    script: 'exit 1',
    startsecs: 0,
    options: { autorestart: false, startretries: 1 },
    states: ['STARTING', 'RUNNING', 'EXITED'],
  },
  // Supervisor starts it again without a pause: without the second, hundreds of times a second.
  crashesWithoutStartsecs: {
    script: 'sleep 1; exit 1',
    startsecs: 0,
    options: { autorestart: 'unexpected', startretries: 1 },
    states: again,
  },
  runsWithoutStartsecs: {
    script: 'exec sleep 1000',
    startsecs: 0,
    states: ['STARTING', 'RUNNING'],
    steps: [{ do: 'stop', states: ['STOPPING', 'STOPPED'] }],
  },
  hasOtherCode: {
    script: 'sleep 5; exit 4',
    options: { autorestart: 'unexpected', exitcodes: [0, 4] },
    states: ['STARTING', 'RUNNING', 'EXITED'],
  },
  crashes: { script: 'sleep 5; exit 3', options: { autorestart: 'unexpected' }, states: again },
  isKilled: { script: 'sleep 5; kill -KILL $$', options: { autorestart: 'unexpected' }, states: again },
  endsAgain: { script: 'sleep 5', options: { autorestart: true }, states: again },
  runsOnce: {
    script: 'sleep 5; exit 5',
    options: { autorestart: false },
    states: ['STARTING', 'RUNNING', 'EXITED'],
  },
  isStopped: {
    script: 'exec sleep 1000',
    states: ['STARTING', 'RUNNING'],
    steps: [
      { do: 'stop', states: ['STOPPING', 'STOPPED'] },
      { do: 'start', states: ['STARTING', 'RUNNING'] },
    ],
  },
  isStoppedWhileItStarts: {
    script: 'exec sleep 1000',
    states: ['STARTING'],
    steps: [
      { do: 'stop', states: ['STOPPING', 'STOPPED'] },
      { do: 'start', states: ['STARTING', 'RUNNING'] },
    ],
  },
  isStoppedInBackoff: {
    script: 'exit 1',
    options: { startretries: 20 },
    // The pause before the fourth start is long enough for a stop.
    states: ['STARTING', 'BACKOFF', 'STARTING', 'BACKOFF', 'STARTING', 'BACKOFF'],
    steps: [
      { do: 'stop', states: ['STOPPED'] },
      { do: 'start', states: ['STARTING', 'BACKOFF', 'STARTING'] },
    ],
  },
  ignoresTerm: {
    script: 'trap "" TERM; while :; do sleep 0.2; done',
    states: ['STARTING', 'RUNNING'],
    steps: [{ do: 'stop', states: ['STOPPING', 'STOPPED'] }],
  },
};

type Of = 'supervisord' | 'own';

/** The states of a program up to the step that comes after `done` of them. graceful-run is not in BACKOFF for a moment before it gives up. */
function statesUntil({ states, steps = [] }: Compared, done: number, of: Of): readonly string[] {
  const stepped = steps
    .slice(0, done)
    .flatMap((step) => (of === 'own' ? (step.own ?? step.states) : step.states));
  const all = [...states, ...stepped];
  return of === 'own'
    ? all.filter((state, index) => !(state === 'BACKOFF' && all[index + 1] === 'FATAL'))
    : all;
}

function wanted(of: Of): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    Object.entries(programs).map(([name, program]) => [name, statesUntil(program, Infinity, of)]),
  );
}

/** Follows one of them until every program has gone through its states, and does in between what is to be done. */
async function follow(
  of: Of,
  statesOf: (name: string) => readonly string[],
  act: (name: string, what: Step['do']) => Promise<unknown>,
): Promise<Record<string, readonly string[]>> {
  const done = new Map<string, number>();
  const acting = new Set<string>();
  const expected = Object.entries(wanted(of));
  await eventually(
    'all have gone through their states',
    () => {
      for (const [name, program] of Object.entries(programs)) {
        const before = done.get(name) ?? 0;
        const step = program.steps?.[before];
        const states = statesUntil(program, before, of);
        if (step === undefined || acting.has(name) || statesOf(name).length < states.length) continue;
        done.set(name, before + 1);
        acting.add(name);
        void act(name, step.do).then(() => acting.delete(name));
      }
      return expected.every(([name, states]) => statesOf(name).length >= states.length);
    },
    40_000,
    // What is missing is told by the comparison.
  ).catch(() => undefined);
  return Object.fromEntries(expected.map(([name, states]) => [name, statesOf(name).slice(0, states.length)]));
}

async function runSupervisor(): Promise<Record<string, readonly string[]>> {
  const folder = temporaryFolder();
  const file = join(folder, 'supervisord.conf');
  const states = join(folder, 'states');
  writeFileSync(states, '');
  const sections = Object.entries(programs).map(
    ([name, { script, startsecs = 3, options = {} }]) => `
[program:${name}]
command = /bin/sh -c '${script}'
startsecs = ${startsecs}
stopwaitsecs = 1
startretries = ${options.startretries ?? 3}
autorestart = ${String(options.autorestart ?? true)}
exitcodes = ${(options.exitcodes ?? [0]).join(',')}
`,
  );
  writeFileSync(
    file,
    `
[supervisord]
nodaemon = true
logfile = /dev/null
logfile_maxbytes = 0
childlogdir = ${folder}
pidfile = ${folder}/pid
[unix_http_server]
file = ${folder}/sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl = unix://${folder}/sock
[eventlistener:states]
command = python3 ${fixture('supervisor-listener.py')} ${states}
events = PROCESS_STATE
buffer_size = 1000
priority = 1
${sections.join('')}`,
  );
  const child = spawn('supervisord', ['-c', file], { stdio: 'ignore' });
  onTestFinished(async () => {
    if (child.exitCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
  return follow(
    'supervisord',
    (name) =>
      readFileSync(states, 'utf8')
        .split('\n')
        .filter((line) => line.startsWith(`${name} `))
        .map((line) => line.slice(name.length + 1)),
    (name, what) => once(spawn('supervisorctl', ['-c', file, what, name], { stdio: 'ignore' }), 'exit'),
  );
}

async function runOwn(): Promise<Record<string, readonly string[]>> {
  const states = new Map<string, string[]>();
  const master = createMaster({
    name: 'compared',
    control: false,
    programs: Object.fromEntries(
      Object.entries(programs).map(
        ([name, { script, startsecs = 3, options = {} }]): [string, ProgramOptions] => [
          name,
          {
            type: 'worker',
            command: ['/bin/sh', '-c', script],
            startsecs: `${startsecs}s`,
            drainTimeout: '1s',
            backoff: 'linear',
            autorestart: true,
            ...options,
          },
        ],
      ),
    ),
  });
  master.subscribe(({ program }) => {
    if (!Object.hasOwn(programs, program)) return;
    const known = states.get(program) ?? [];
    states.set(program, known);
    const { state } = master.program(program).status();
    if (state !== (known.at(-1) ?? 'STOPPED')) known.push(state);
  });
  onTestFinished(() => master.stop());
  // It is not waited for: it resolves when everything has started, and one of them is stopped before.
  void master.start().catch(() => undefined);
  return follow(
    'own',
    (name) => states.get(name) ?? [],
    (name, what) => {
      const program = master.program(name);
      return (what === 'stop' ? program.stop() : program.start()).catch(() => undefined);
    },
  );
}

function supervisorVersion(): string | null {
  try {
    return execFileSync('supervisord', ['--version'], { encoding: 'utf8' }).trim();
  } catch {
    return null;
  }
}

test.runIf(mayRun(supervisorVersion() !== null))(
  'supervisord 4.2.5 goes through the states that are recorded here',
  async () => {
    expect(supervisorVersion()).toBe('4.2.5');
    expect(await runSupervisor()).toEqual(wanted('supervisord'));
  },
  90_000,
);

test('graceful-run goes through the same states as Supervisor, except that it gives up without another BACKOFF, and can stop what is at rest', async () => {
  expect(await runOwn()).toEqual(wanted('own'));
}, 90_000);
