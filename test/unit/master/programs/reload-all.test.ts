// SIGHUP to a master with a config file: reads the file, then reloads every program. The workers are not real.
import { expect, test } from 'vitest';
import { compileOptions } from '../../../../src/master/config/options.ts';
import type { Plan } from '../../../../src/master/config/plan.ts';
import { noPlaces } from '../../../../src/master/config/plan-places.ts';
import { deferred } from '../../../../src/master/deferred.ts';
import { createMasterOf } from '../../../../src/master/master.ts';
import type { EventRecord } from '../../../../src/shared/events.ts';
import { createFakePlatform } from '../../../helpers/fake-platform.ts';

test('requests to reload everything that come while one is carried out are one more request', async () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const program = { command: ['node', 'app.js'], listen: ['127.0.0.1:0'], probation: '0s' };
  const programs = Object.fromEntries(names.map((name) => [name, program]));
  const { master: options, ...rest } = compileOptions({ name: 'storm', control: false, programs }, '/');
  const plan: Plan = { ...rest, master: { ...options, file: '/graceful.toml' } };
  const firstRead = deferred<undefined>();
  let reads = 0;
  const master = createMasterOf(plan, {
    platform: createFakePlatform().platform,
    environment: { PATH: process.env['PATH'] },
    async readPlan() {
      reads += 1;
      await firstRead.promise;
      return { plan, places: noPlaces };
    },
  });
  const events: EventRecord[] = [];
  master.subscribe((event) => events.push(event));
  await master.start();
  const first = master.commands.reloadAll({ cause: 'signal' });
  // Until the first one reads the file.
  await new Promise(setImmediate);
  const others = Array.from({ length: 40 }, () => master.commands.reloadAll({ cause: 'signal' }));
  firstRead.resolve(undefined);
  await Promise.all([first, ...others]);
  expect(reads).toBe(2);
  for (const name of names)
    expect(
      events.filter((event) => event.event === 'reloadRequested' && event.program === name),
    ).toHaveLength(2);
  await master.stop();
});
