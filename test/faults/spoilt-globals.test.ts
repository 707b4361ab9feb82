// An application that has replaced what Node.js gives everybody, in its worker.
import { expect, test } from 'vitest';
import { app, runMaster } from '../helpers/run-master.ts';
import { Wire } from '../helpers/wire.ts';

test.each([
  "require('node:vm').compileFunction = () => { throw new Error('spoilt'); }",
  'globalThis.setTimeout = () => 1',
  'globalThis.performance = undefined',
])('serves, and finishes what is in flight when it drains: %s', async (spoil) => {
  const script = `${spoil}; require(${JSON.stringify(app('serves')[1])}).server.listen(process.env.PORT);`;
  const master = runMaster({ command: [process.execPath, '-e', script] });
  const wire = await Wire.connect(await master.serving());
  wire.get('/held');
  await wire.until('begun');
  master.signal('SIGHUP');
  await master.waitFor('generationReady', { generation: 2 });
  await master.waitFor('workerDraining', { generation: 1 });
  process.kill(await master.workerPid(1), 'SIGUSR2');
  await wire.until('ended');
  wire.socket.destroy();
  const { outcome } = await master.waitFor('workerExited', { generation: 1 });
  expect(outcome).toEqual({ code: 0, signal: null });
  expect(master.all('workerFailed')).toEqual([]);
});
