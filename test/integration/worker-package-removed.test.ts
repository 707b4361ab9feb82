import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { MiniMaster } from '../helpers/mini-master.ts';
import { Wire } from '../helpers/wire.ts';
import { workerBundle } from '../helpers/worker-bundle.ts';

const folder = mkdtempSync(join(tmpdir(), 'graceful-run-removed-'));
const master = new MiniMaster();

afterEach(async () => {
  await master.close();
  rmSync(folder, { recursive: true });
});

it('a worker whose package was removed while it booted finishes what is in flight, and stderr says what is missing', async () => {
  const preload = join(folder, 'preload.cjs');
  copyFileSync((await workerBundle()).preload, preload);
  const worker = await master.serve('serves.cjs', { preload });
  const client = await Wire.connect(master.port);
  client.get('/held');
  await worker.says('request /held');
  worker.drain();
  await worker.message('acceptsNoMore');
  worker.child.send('release');
  await client.until('held');
  client.socket.destroy();
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  expect(worker.output).toContain('cannot load the part that drains');
});
