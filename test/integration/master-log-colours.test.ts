// The log on a terminal: for people, with colours unless they are not wanted. script(1) of util-linux gives the master a terminal.
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { app, runMaster, type RunningMaster } from '../helpers/run-master.ts';

const hasScript = process.platform === 'linux' && existsSync('/usr/bin/script');
const through = ['sh', '-c', 'exec script --quiet --return --flush --command "exec $*" /dev/null', 'sh'];
const flags = ['--log-format', 'pretty'];
const command = [process.execPath, '-e', 'throw\\ new\\ TypeError\\(1\\)'];
const colours = { TERM: 'xterm-256color', NO_COLOR: undefined, FORCE_COLOR: undefined, CI: undefined };

const escape = '\u001B';

/** All that a master whose first start fails has written, when it has ended. */
async function written(master: RunningMaster): Promise<string> {
  await master.closed;
  return master.output;
}

test.skipIf(!hasScript)(
  'on a terminal the level, the state and the line that names the error are coloured',
  async () => {
    const text = await written(runMaster({ through, flags, command, env: colours }));
    expect(text).toContain(`${escape}[31mERROR${escape}[39m`);
    expect(text).toMatch(/generation 1 .*\[31mfailed/);
    // The worker's own line, behind its pid.
    expect(text).toMatch(/\d+ \|\S* \S*\[31mTypeError: 1/);
    expect(text).toContain('before it was ready: TypeError: 1');
  },
);

test.skipIf(!hasScript)('NO_COLOR and a terminal without colours are respected', async () => {
  for (const env of [
    { ...colours, NO_COLOR: '1' },
    { ...colours, TERM: 'dumb' },
  ]) {
    const text = await written(runMaster({ through, flags, command, env }));
    expect(text).toContain('TypeError: 1');
    expect(text).not.toContain(escape);
  }
});

test('what is no terminal gets no colours, not even those of a worker', async () => {
  const master = runMaster({ flags, command: app('logs-headers'), env: colours });
  await eventually('it serves', () => master.output.includes('serves'));
  const { listeners } = await master.status();
  const [{ port } = { port: 0 }] = listeners;
  await fetch(`http://127.0.0.1:${port}/`, {
    headers: { 'x-log': encodeURIComponent(`${escape}[31mred`), connection: 'close' },
  });
  await eventually('it is logged', () => /^\d+ \| red$/m.test(master.output));
  expect(master.output).not.toContain(escape);
});
