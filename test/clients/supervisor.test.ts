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
}

interface Compared {
  readonly script: string;
  readonly options?: Pick<ProgramOptions, 'autorestart' | 'exitcodes' | 'startretries'>;
  /** What is done to it once it has gone through `states` and the steps before, and the states after that. */
  readonly steps?: readonly Step[];
  /** As supervisord 4.2.5 went through them. Of a program that goes on for ever, the first ones. */
  readonly states: readonly string[];
}

const again = ['STARTING', 'RUNNING', 'EXITED', 'STARTING', 'RUNNING', 'EXITED', 'STARTING'] as const;
const givenUp = ['STARTING', 'BACKOFF', 'STARTING', 'BACKOFF', 'STARTING', 'BACKOFF', 'FATAL'] as const;

const programs: Readonly<Record<string, Compared>> = {
  fails: {
    script: 'exit 1',
    options: { startretries: 2 },
    states: givenUp,
    steps: [{ do: 'start', states: givenUp }],
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
    steps: [{ do: 'start', states: ['STARTING', 'RUNNING', 'EXITED'] }],
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

/** The states of a program up to the step that comes after `done` of them. */
function statesUntil({ states, steps = [] }: Compared, done: number): readonly string[] {
  return [...states, ...steps.slice(0, done).flatMap((step) => step.states)];
}

const wanted = Object.entries(programs).map(([name, program]): [string, readonly string[]] => [
  name,
  statesUntil(program, Infinity),
]);

/** Supervisor is in BACKOFF for a moment before it gives up. */
function withoutLastBackoff(states: readonly string[]): readonly string[] {
  return states.filter((state, index) => !(state === 'BACKOFF' && states[index + 1] === 'FATAL'));
}

/** Follows both until every program has gone through its states, and does in between what is to be done. */
async function follow(
  statesOf: (name: string) => readonly string[],
  act: (name: string, what: 'stop' | 'start') => void,
  expected: (states: readonly string[]) => readonly string[],
): Promise<Record<string, readonly string[]>> {
  const done = new Map<string, number>();
  await eventually(
    'all have gone through their states',
    () => {
      for (const [name, program] of Object.entries(programs)) {
        const before = done.get(name) ?? 0;
        const step = program.steps?.[before];
        const states = expected(statesUntil(program, before));
        if (step === undefined || statesOf(name).length < states.length) continue;
        done.set(name, before + 1);
        act(name, step.do);
      }
      return wanted.every(([name, states]) => statesOf(name).length >= expected(states).length);
    },
    40_000,
    // What is missing is told by the comparison.
  ).catch(() => undefined);
  return Object.fromEntries(
    wanted.map(([name, states]) => [name, statesOf(name).slice(0, expected(states).length)]),
  );
}

async function runSupervisor(): Promise<Record<string, readonly string[]>> {
  const folder = temporaryFolder();
  const file = join(folder, 'supervisord.conf');
  const states = join(folder, 'states');
  writeFileSync(states, '');
  const sections = Object.entries(programs).map(
    ([name, { script, options = {} }]) => `
[program:${name}]
command = /bin/sh -c '${script}'
startsecs = 3
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
    (name) =>
      readFileSync(states, 'utf8')
        .split('\n')
        .filter((line) => line.startsWith(`${name} `))
        .map((line) => line.slice(name.length + 1)),
    (name, what) => {
      spawn('supervisorctl', ['-c', file, what, name], { stdio: 'ignore' });
    },
    (expected) => expected,
  );
}

async function runOwn(): Promise<Record<string, readonly string[]>> {
  const states = new Map<string, string[]>();
  const master = createMaster({
    name: 'compared',
    control: false,
    programs: Object.fromEntries(
      Object.entries(programs).map(([name, { script, options = {} }]): [string, ProgramOptions] => [
        name,
        {
          type: 'worker',
          command: ['/bin/sh', '-c', script],
          startsecs: '3s',
          drainTimeout: '1s',
          backoff: 'linear',
          autorestart: true,
          ...options,
        },
      ]),
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
    (name) => states.get(name) ?? [],
    (name, what) => {
      const program = master.program(name);
      void (what === 'stop' ? program.stop() : program.start()).catch(() => undefined);
    },
    withoutLastBackoff,
  );
}

function hasSupervisor(): boolean {
  try {
    return execFileSync('supervisord', ['--version'], { encoding: 'utf8' }).trim() !== '';
  } catch {
    return false;
  }
}

test.runIf(mayRun(hasSupervisor()))(
  'supervisord goes through the states that are recorded here',
  async () => {
    expect(await runSupervisor()).toEqual(Object.fromEntries(wanted));
  },
  90_000,
);

test('graceful-run goes through the same states as Supervisor, except that it gives up without another BACKOFF', async () => {
  expect(await runOwn()).toEqual(
    Object.fromEntries(wanted.map(([name, states]) => [name, withoutLastBackoff(states)])),
  );
}, 90_000);
