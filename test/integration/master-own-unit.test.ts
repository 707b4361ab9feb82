// A master that is a service of systemd: what systemd has told it is not for what it starts.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { appPath, runMaster, temporaryFolder } from '../helpers/run-master.ts';

const python = `python3 ${appPath('serves').replace(/cjs$/, 'py')}`;
const note = (name: string): string =>
  `env | grep -E '^(NOTIFY_SOCKET|WATCHDOG_)' > ${name}.part; mv ${name}.part ${name}`;

test('the NOTIFY_SOCKET and the watchdog of its own unit reach no worker, probe, hook or config file', async () => {
  const folder = temporaryFolder();
  const own = join(folder, 'of-the-unit');
  const told = (name: string): string => join(folder, name);
  const plan = {
    defaults: { probation: '0s' },
    program: {
      node: {
        command: ['sh', '-c', `${note('node')}; exec node ${appPath('serves')}`],
        listen: ['127.0.0.1:0'],
        ready: 'listen',
        hooks: { pre_start: note('hook') },
      },
      delayed: {
        command: ['sh', '-c', `${note('delayed')}; LISTEN_PID=$$ exec ${python}`],
        listen: ['127.0.0.1:0'],
        ready: 'delay:300ms',
      },
      probed: {
        command: ['sh', '-c', `${note('probed')}; LISTEN_PID=$$ exec ${python}`],
        listen: ['127.0.0.1:0'],
        ready: `exec:${note('probe')}`,
      },
      plain: {
        command: ['node', appPath('tells-its-unit'), told('plain')],
        type: 'worker',
        ready: 'delay:1s',
      },
      server: { command: ['node', appPath('tells-its-unit'), told('server')], listen: ['127.0.0.1:0'] },
    },
  };
  writeFileSync(
    told('graceful.mjs'),
    `import { writeFileSync } from 'node:fs';
     writeFileSync(${JSON.stringify(told('file'))}, Object.entries(process.env).map((one) => one.join('=')).join('\\n'));
     export default ${JSON.stringify(plan)};`,
  );
  runMaster({
    name: 'unit',
    hasOwnFlags: false,
    flags: ['-c', 'graceful.mjs', '--log-format', 'json', '--log-level', 'debug'],
    command: [],
    cwd: folder,
    env: { NOTIFY_SOCKET: own, WATCHDOG_USEC: '30000000', WATCHDOG_PID: '1' },
  });
  const names = ['node', 'hook', 'delayed', 'probed', 'probe', 'plain', 'server', 'file'];
  for (const name of names) {
    await eventually(name, () => existsSync(told(name)));
    const text = readFileSync(told(name), 'utf8');
    expect(text, name).not.toContain(own);
    expect(text, name).not.toMatch(/^WATCHDOG_/m);
  }
  // A socket of their own, not that of the unit.
  expect(readFileSync(told('server'), 'utf8')).not.toContain('NOTIFY_SOCKET');
});
