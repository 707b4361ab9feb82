// `gracefulctl top` and `status --watch`, in a terminal and without one.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { openControlServer } from '../../src/master/control/control-server.ts';
import type { Status } from '../../src/shared/control-api.ts';
import { eventually } from '../helpers/eventually.ts';
import { FakeMaster, settleable } from '../helpers/fake-master.ts';
import { startLoad } from '../helpers/strict-client.ts';
import { begin } from '../helpers/plain-client.ts';
import { built, gracefulctl } from '../helpers/run-gracefulctl.ts';
import { kill, runMaster, type RunningMaster, temporaryFolder } from '../helpers/run-master.ts';
import { mayRun } from '../helpers/required-programs.ts';

const script = '/usr/bin/script';
const isThere = process.platform === 'linux' && existsSync(script);

const enter = '\u001B[?1049h';
const leave = '\u001B[?1049l';
const showCursor = '\u001B[?25h';
const home = '\u001B[H';

interface Session {
  readonly type: (keys: string) => void;
  /** Everything that was written so far. */
  readonly output: () => string;
  /** The lines of the latest picture that is complete. */
  readonly picture: () => readonly string[];
  readonly ended: Promise<number | null>;
  readonly pid: number;
}

/** gracefulctl in a terminal of its own, between two looks at the settings of that terminal. */
function inTerminal(master: Pick<RunningMaster, 'runtime'>, words: string, columns = 80, rows = 24): Session {
  const command = `stty cols ${columns} rows ${rows}; stty -g; ${process.execPath} ${built} ${words}; echo "code $?"; stty -g`;
  const child = spawn(script, ['--quiet', '--flush', '--command', command, '/dev/null'], {
    env: { ...process.env, XDG_RUNTIME_DIR: master.runtime, TERM: 'xterm', NO_COLOR: '1', COLUMNS: '' },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more: string) => (text += more));
  const ended = once(child, 'close').then(() => child.exitCode);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return {
    type: (keys) => child.stdin.write(keys),
    output: () => text,
    picture: () => {
      const pictures = text.split(home);
      const last = pictures.filter((one) => one.includes('\u001B[J')).at(-1) ?? '';
      return stripVTControlCharacters(last.split('\u001B[J')[0] ?? '').split('\r\n');
    },
    ended,
    pid: child.pid ?? -1,
  };
}

/** The settings of the terminal before and after, and the exit code. */
function aroundIt(output: string): {
  readonly before: string;
  readonly after: string;
  readonly code: string;
} {
  const plain = stripVTControlCharacters(output).split('\r\n');
  const settings = plain.filter((line) => /^[0-9a-f]+(:[0-9a-f]+)+$/.test(line.trim()));
  // It stands behind the last picture, which ends without a line break.
  const code = /code (\d+)$/.exec(plain.find((line) => / *code \d+$/.test(line)) ?? '')?.[1] ?? '';
  return { before: settings[0] ?? 'none', after: settings[1] ?? 'missing', code };
}

test.runIf(mayRun(isThere)).each([
  ['q', 'top'],
  ['\u0003', 'top'],
  ['q', 'status --watch'],
  ['\u0003', 'status --watch'],
])('%j ends %s, and the terminal is as it was', async (key, words) => {
  const master = runMaster({ name: 'shop' });
  await master.serving();
  const session = inTerminal(master, words);
  await eventually(
    'there is a picture',
    () => session.picture().some((line) => line.includes('shop')),
    15_000,
  );
  expect(session.output()).toContain(enter);
  session.type(key);
  await session.ended;
  const { before, after, code } = aroundIt(session.output());
  expect([after, code]).toEqual([before, '0']);
  const end = session.output().slice(session.output().lastIndexOf(home));
  expect(end).toContain(showCursor);
  expect(end).toContain(leave);
});

test.runIf(mayRun(isThere)).each([80, 60, 30, 140])(
  'at %i columns no line is wider, and the picture is drawn again in place',
  async (columns) => {
    const master = runMaster({ name: 'a-program-with-a-name-that-is-rather-long' });
    await master.serving();
    const session = inTerminal(master, 'top', columns);
    await eventually('it was drawn three times', () => session.output().split(home).length > 3, 15_000);
    session.type('q');
    await session.ended;
    expect(session.output().split(enter).length).toBe(2);
    for (const line of session.picture()) expect([line, line.length <= columns]).toEqual([line, true]);
    expect(session.picture()[1]).toContain('program');
  },
);

test.runIf(mayRun(isThere))(
  'top shows what a draining worker has open, and the time to its deadline',
  async () => {
    const master = runMaster({ name: 'shop', flags: ['--drain-timeout', '30s'] });
    const port = await master.serving();
    const { answer } = await begin(port, '/held');
    await master.reload(2);
    const session = inTerminal(master, 'top');
    await eventually(
      'the drain is shown',
      () =>
        session
          .picture()
          .some((line) => /1 request in flight, 1 connection open; next signal in \d+s/.test(line)),
      15_000,
    );
    expect(
      session
        .picture()
        .some(
          (line) => line.includes(String(master.all('workerStarted')[0]?.pid)) && line.includes('draining'),
        ),
    ).toBe(true);
    kill(await master.workerPid(1), 'SIGUSR2');
    await answer;
    await eventually(
      'the drain is over',
      () => !session.picture().some((line) => line.includes('draining')),
      15_000,
    );
    session.type('q');
    await session.ended;
  },
);

test.runIf(mayRun(isThere))('status --watch shows what each worker does', async () => {
  const master = runMaster({ name: 'shop' });
  const { answer } = await begin(await master.serving(), '/held');
  const session = inTerminal(master, 'status --watch');
  const line = / [\d.]+ requests\/s, 0 5xx\/s, 1 connection open, event-loop delay [\d.]+m?s$/;
  await eventually('it is shown', () => session.picture().some((one) => line.test(one.trimEnd())), 15_000);
  kill(await master.workerPid(1), 'SIGUSR2');
  await answer;
  session.type('q');
  await session.ended;
});

test.runIf(mayRun(isThere))('a master that ends meanwhile is reported, and the picture goes on', async () => {
  const master = runMaster({ name: 'shop' });
  await master.serving();
  const session = inTerminal(master, 'top');
  await eventually(
    'there is a picture',
    () => session.picture().some((line) => line.includes('shop')),
    15_000,
  );
  master.signal('SIGTERM');
  await master.exited;
  await eventually(
    'it is said',
    () => session.picture().some((line) => line.includes('cannot find a master')),
    15_000,
  );
  session.type('q');
  await session.ended;
  expect(aroundIt(session.output()).code).toBe('0');
});

test.runIf(mayRun(isThere)).each(['top', 'status --watch'])(
  'q ends %s at once, even while a master does not answer',
  async (words) => {
    const runtime = temporaryFolder();
    const fake = new FakeMaster();
    const asked = settleable<undefined>();
    let questions = 0;
    const programs = (): Promise<readonly Status[]> => {
      questions += 1;
      if (questions === 1) return Promise.resolve([fake.status]);
      asked.resolve(undefined);
      return new Promise(() => undefined);
    };
    const server = await openControlServer({
      name: 'web',
      folders: [join(runtime, 'graceful-run')],
      commands: { ...fake.commands, programs },
      onChange: () => undefined,
    });
    onTestFinished(() => server.close());
    const session = inTerminal({ runtime }, words);
    await asked.promise;
    const typedAt = performance.now();
    session.type('q');
    await session.ended;
    // gracefulctl would wait 5 s for the answer.
    expect(performance.now() - typedAt).toBeLessThan(3_000);
    const { before, after, code } = aroundIt(session.output());
    expect([after, code]).toEqual([before, '0']);
  },
);

test.runIf(mayRun(isThere)).each(['top', 'status --watch'])(
  'a terminal of unknown size shows %s',
  async (words) => {
    const master = runMaster({ name: 'shop' });
    await master.serving();
    const session = inTerminal(master, words, 0, 0);
    await eventually(
      'there is a picture',
      () => session.picture().some((line) => line.includes('shop')),
      15_000,
    );
    session.type('q');
    await session.ended;
    expect(aroundIt(session.output()).code).toBe('0');
  },
);

test.runIf(mayRun(isThere))('a name that means nothing is reported below the programs of top', async () => {
  const master = runMaster({ name: 'shop' });
  await master.serving();
  const session = inTerminal(master, 'top shop nosuch');
  await eventually('it is said', () => session.picture().at(-1)?.includes('nosuch') === true, 15_000);
  expect(session.picture().some((line) => line.startsWith('shop '))).toBe(true);
  session.type('q');
  await session.ended;
  expect(aroundIt(session.output()).code).toBe('3');
});

test('without a terminal, top reports a name that means nothing on stderr and in its exit code', async () => {
  const master = runMaster({ name: 'shop' });
  await master.serving();
  for (const flags of [[], ['--json']]) {
    const words = ['top', 'shop', 'nosuch', ...flags];
    const { code, out, err } = await gracefulctl(words, { XDG_RUNTIME_DIR: master.runtime });
    expect([code, err]).toEqual([3, expect.stringContaining('none is called nosuch')]);
    expect(out).toContain('shop');
    expect(out).not.toContain('nosuch');
  }
});

test('without a terminal, both print once', async () => {
  const master = runMaster({ name: 'shop' });
  await master.serving();
  const env = { XDG_RUNTIME_DIR: master.runtime };
  const top = await gracefulctl(['top'], env);
  expect([top.code, top.err]).toEqual([0, '']);
  expect(top.out.split('\n')[1]).toMatch(
    /^program +state +gen +ready +req\/s +5xx\/s +conns +lag +cpu +memory$/,
  );
  expect(top.out.split('\n')[2]).toMatch(/^shop +serving +1 +1\/1 +0 +0 /);
  const watched = await gracefulctl(['status', '--watch'], env);
  expect([watched.code, watched.out.split('\n')[0]]).toEqual([0, 'program    shop']);
  const { out } = await gracefulctl(['top', '--json'], env);
  expect(JSON.parse(out)).toMatchObject({
    program: 'shop',
    requestsPerSecond: 0,
    workers: [{ load: { served: 0 } }],
  });
});

test('top counts the requests per second and the CPU time of a program under load', async () => {
  const master = runMaster({ name: 'shop' });
  const port = await master.serving();
  const load = startLoad({ port, mode: 'keepAlive', clients: 4, paceMs: 3, maxMs: 30_000 });
  await load.moreAnswers(20);
  const env = { XDG_RUNTIME_DIR: master.runtime };
  const { out: json } = await gracefulctl(['top', '--json'], env);
  const { out } = await gracefulctl(['top'], env);
  const { answered } = await load.stop();
  const shown = JSON.parse(json) as { readonly requestsPerSecond: number; readonly cpuPercent: number };
  expect(shown.requestsPerSecond).toBeGreaterThan(0);
  expect(shown.requestsPerSecond).toBeLessThan(answered);
  expect(shown.cpuPercent).toBeGreaterThan(0);
  const worker = String(await master.workerPid(1));
  for (const row of ['shop +serving +1 +1/1', ` +${worker} +ready +1 .*?`])
    expect(out).toMatch(new RegExp(String.raw`^${row} +[1-9]\d* +0 +4 +\S+ +[1-9]\d*% `, 'm'));
});

test('--watch and --json exclude each other', async () => {
  const { code, err } = await gracefulctl(['status', '--watch', '--json'], {});
  expect(code).toBe(2);
  expect(err).toContain('--watch cannot be combined with --json');
});
