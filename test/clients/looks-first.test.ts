import { expect, test } from 'vitest';
import { get } from '../helpers/plain-client.ts';
import { runMaster } from '../helpers/run-master.ts';
import { node } from './fixture.ts';

test.each(['connect', 'listen'])(
  'a program that looks first whether its port is free (%s) finds it free, in every generation',
  async (LOOK) => {
    const master = runMaster({ command: node('wrappers/looks-first.cjs'), env: { LOOK } });
    const port = await master.serving();
    expect(await get(port)).toMatchObject({ body: 'served' });
    await master.reload(2);
    expect(await get(port)).toMatchObject({ body: 'served' });
    expect(master.all('undeclaredListen')).toEqual([]);
  },
);

// It listens for a moment on each address of the machine, and at last on all of them.
test.each([
  ['without --host', []],
  ['with --host', ['--host', '127.0.0.1']],
])('a program that looks for a free port with portfinder gets its own, %s', async (_, host) => {
  const name = 'finds-its-port';
  const flags = ['--port', '0', '--name', name, '--log-level', 'debug', '--log-format', 'json', ...host];
  const master = runMaster({ command: node('finds-its-port.cjs'), hasOwnFlags: false, name, flags });
  const port = await master.serving();
  expect(await get(port)).toMatchObject({ body: String(port) });
  await master.reload(2);
  expect(await get(port)).toMatchObject({ body: String(port) });
  // With --host it really has listened at the other addresses for a moment.
  if (host.length === 0) expect(master.all('undeclaredListen')).toEqual([]);
  expect(master.all('wideListen')).toEqual([]);
});

test('a program that asks for its own port again and again is let through: another process may serve there', async () => {
  const script = `
    const net = require('node:net');
    let refused = 0;
    const ask = () => net.connect(process.env.PORT, '127.0.0.1')
      .on('error', () => { refused += 1; ask(); })
      .on('connect', function () { this.destroy(); console.log('refused ' + refused + ', then let through'); });
    ask();`;
  const master = runMaster({ command: [process.execPath, '-e', script] });
  expect(await master.waitForLine('let through')).toBe('refused 4, then let through');
});
