import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { MiniMaster } from '../helpers/mini-master.ts';
import { Wire } from '../helpers/wire.ts';
import { workerBundle } from '../helpers/worker-bundle.ts';

let folder: string;
let master: MiniMaster;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'graceful-run-removed-'));
  master = new MiniMaster();
});

afterEach(async () => {
  await master.close();
  rmSync(folder, { recursive: true });
});

async function copyBundle(names: readonly string[]): Promise<string> {
  const { preload } = await workerBundle();
  for (const name of names) copyFileSync(join(dirname(preload), name), join(folder, name));
  return join(folder, 'preload.cjs');
}

it('a worker whose package is removed as soon as it is ready drains as any other', async () => {
  const preload = await copyBundle(['preload.cjs', 'boot.cjs', 'after-admission.cjs']);
  const worker = await master.start('serves.cjs', { preload });
  await worker.message('ready');
  for (const name of ['preload.cjs', 'boot.cjs', 'after-admission.cjs']) rmSync(join(folder, name));
  worker.admit();
  const client = await Wire.connect(master.port);
  client.get('/held');
  await worker.says('request /held');
  worker.drain();
  await worker.message('acceptsNoMore');
  worker.child.send('release');
  await client.until('held');
  expect(client.received).toMatch(/connection: close/i);
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  expect(worker.messages.at(-1)).toMatchObject({ type: 'drained', served: 1, migrated: 0, cut: 0 });
});

it('a worker whose package is incomplete ends before it is ready, and stderr says what is missing', async () => {
  const preload = await copyBundle(['preload.cjs', 'boot.cjs']);
  const worker = await master.start('serves.cjs', { preload });
  expect(await worker.exited).toMatchObject({ code: 1 });
  expect(worker.messages).toEqual([]);
  expect(worker.output).toContain('after-admission.cjs');
});
