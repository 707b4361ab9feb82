// ready = "http:/path": the path is asked again while a new generation is on probation, or a part of it serves.
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { whoAnswers } from '../helpers/plain-client.ts';
import { gracefulctl } from '../helpers/run-gracefulctl.ts';
import { app, runMaster, temporaryFolder } from '../helpers/run-master.ts';
import { startLoad } from '../helpers/strict-client.ts';
import { failureCounts } from '../helpers/tally.ts';

/** A health that can be changed. */
function health(): { readonly file: string; readonly become: (status: string) => void } {
  const folder = temporaryFolder();
  const file = join(folder, 'health');
  const become = (status: string): void => {
    writeFileSync(join(folder, 'next'), status);
    renameSync(join(folder, 'next'), file);
  };
  become('200');
  return { file, become };
}

test.each(['1', '2', '4'])(
  'a generation of %s workers whose health path fails on probation goes back under load, and no request fails',
  async (workers) => {
    const { file, become } = health();
    const master = runMaster({
      flags: ['--ready', 'http:/healthz', '--probation', '3s', '--workers', workers],
      command: app('answers-health'),
      env: { HEALTH_FILE: file },
    });
    const port = await master.serving();
    const load = startLoad({ port, mode: 'keepAlive', clients: 4, paceMs: 3 });
    const reload = gracefulctl(['reload', master.name, '--wait=settled'], {
      XDG_RUNTIME_DIR: master.runtime,
    });
    await master.waitFor('generationReady', { generation: 2 });
    const fresh = startLoad({ port, mode: 'fresh', clients: 2, paceMs: 3 });
    become('503');
    const back = await master.waitFor('generationRolledBack', { generation: 2, to: 1 });
    expect(back.failure).toMatchObject({ reason: 'unhealthy' });
    expect(back.failure.message).toContain('GET /healthz answered 503');
    expect(await reload).toMatchObject({ code: 1 });
    await Promise.all([load, fresh].map((one) => one.moreAnswers(50)));
    const [kept, opened] = await Promise.all([load.stop(), fresh.stop()]);
    expect([kept, opened].map(failureCounts)).toEqual([{}, {}]);
    expect(kept.connections).toBe(4);
    expect(await whoAnswers(port)).toMatchObject({ generation: 1 });
  },
);

test('a generation that is healthy passes its probation, and is not asked after that', async () => {
  const { file } = health();
  const master = runMaster({
    flags: ['--ready', 'http:/healthz', '--probation', '1s'],
    command: app('answers-health'),
    env: { HEALTH_FILE: file },
  });
  await master.serving();
  master.signal('SIGHUP');
  await master.waitFor('generationSettled', { generation: 2 });
  const asked = (): number => master.lines.filter((line) => line.startsWith('asked generation 2')).length;
  expect(asked()).toBeGreaterThan(2);
  const before = asked();
  // Another reload takes as long as the master needs to do more than one further round.
  master.signal('SIGHUP');
  await master.waitFor('generationSettled', { generation: 3 });
  expect(asked()).toBe(before);
});
