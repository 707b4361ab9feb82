import { expect, test } from 'vitest';
import type { MasterRecord } from '../../../../src/master/handover/record.ts';
import { createUpgrades, type UpgradeParts } from '../../../../src/master/handover/upgrades.ts';
import { GracefulRunError } from '../../../../src/shared/errors.ts';
import type { MasterEvent } from '../../../../src/shared/events.ts';

interface Setup {
  readonly upgrade: () => Promise<never>;
  readonly events: MasterEvent[];
  /** What was done to the process, in this order. */
  readonly done: string[];
  /** What is under way. */
  state: { unfinished: string | null; isWritten: boolean; isFlushed: boolean };
}

/** Upgrades on a clock that moves by itself with every pause. `refuses`: why the next version cannot take over. */
function setUp(given: Partial<UpgradeParts> = {}, refuses: string | null = null): Setup {
  const events: MasterEvent[] = [];
  const done: string[] = [];
  const state = { unfinished: null as string | null, isWritten: true, isFlushed: true };
  // Plain data that nobody looks into here.
  const record = {} as MasterRecord;
  let now = 0;
  const upgrades = createUpgrades({
    platform: {
      clock: { monotonicMs: () => now, wallMs: () => now },
      arm: (delayMs, callback) => {
        now += delayMs;
        setImmediate(callback);
        return () => undefined;
      },
    },
    image: () =>
      Promise.resolve({
        next: {
          check: () => {
            done.push('check');
            return refuses === null
              ? Promise.resolve()
              : Promise.reject(new GracefulRunError('upgradeFailed', refuses, { hint: 'install it' }));
          },
          replace: () => {
            done.push('replace');
            return new GracefulRunError('upgradeFailed', 'cannot upgrade: no memory');
          },
        },
        snapshot: (master) => ({
          master,
          foreignChildren: [],
          openLines: { stdout: null, stderr: null },
        }),
        flush: () => state.isFlushed,
      }),
    record: () => record,
    unfinished: () => state.unfinished,
    suspendOutput: (isSuspended) => {
      done.push(isSuspended ? 'suspend' : 'resume');
    },
    isWritten: () => state.isWritten,
    publish: (event) => events.push(event),
    ...given,
  });
  return { upgrade: async () => upgrades.upgrade('signal'), events, done, state };
}

const names = (events: readonly MasterEvent[]): readonly string[] => events.map(({ event }) => event);

test('the next version is checked first; then output is left in the pipes, and the program is replaced', async () => {
  const { upgrade, done, events } = setUp();
  // Only a replacement that fails comes back.
  await expect(upgrade()).rejects.toMatchObject({
    code: 'upgradeFailed',
    message: 'cannot upgrade: no memory',
  });
  expect(done).toEqual(['check', 'suspend', 'replace', 'resume']);
  expect(names(events)).toEqual(['upgradeRequested', 'upgradeFailed']);
});

test('a version that cannot take over is refused, and nothing is done', async () => {
  const { upgrade, done, events } = setUp({}, 'half installed');
  await expect(upgrade()).rejects.toMatchObject({ message: 'half installed' });
  expect(done).toEqual(['check', 'resume']);
  expect(events.at(-1)).toEqual({ event: 'upgradeFailed', problem: 'half installed', hint: 'install it' });
});

test('what is under way is waited for, with output flowing, and is named once', async () => {
  const { upgrade, done, events, state } = setUp();
  state.unfinished = 'shop is being reloaded';
  const upgraded = upgrade();
  upgraded.catch(() => undefined);
  await until(() => names(events).includes('upgradeWaits'));
  expect(done).not.toContain('suspend');
  state.unfinished = null;
  await expect(upgraded).rejects.toMatchObject({ message: 'cannot upgrade: no memory' });
  expect(events.filter(({ event }) => event === 'upgradeWaits')).toEqual([
    { event: 'upgradeWaits', until: 'shop is being reloaded' },
  ]);
});

test('output that is being written is waited for, and no more of it is read', async () => {
  const { upgrade, done, events, state } = setUp();
  state.isWritten = false;
  const upgraded = upgrade();
  upgraded.catch(() => undefined);
  await until(() => names(events).includes('upgradeWaits'));
  expect(done.filter((one) => one !== 'suspend')).toEqual(['check']);
  Object.assign(state, { isWritten: true, isFlushed: false });
  await until(() => events.filter(({ event }) => event === 'upgradeWaits').length === 2);
  state.isFlushed = true;
  await expect(upgraded).rejects.toMatchObject({ message: 'cannot upgrade: no memory' });
});

test('after a minute the upgrade is given up, and says what was in the way', async () => {
  const { upgrade, done, state } = setUp();
  state.unfinished = 'shop is starting';
  await expect(upgrade()).rejects.toMatchObject({
    message: 'cannot upgrade: gave up after waiting for 60s: shop is starting',
    hint: 'ask again when that is over',
  });
  expect(done).not.toContain('replace');
  expect(done.at(-1)).toBe('resume');
});

test('a second request during an upgrade is the same one, and one after it begins anew', async () => {
  const { upgrade, done } = setUp();
  const both = await Promise.allSettled([upgrade(), upgrade()]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(done.filter((one) => one === 'check')).toHaveLength(1);
  await expect(upgrade()).rejects.toThrow();
  expect(done.filter((one) => one === 'check')).toHaveLength(2);
});

test('a master inside another program is not replaced', async () => {
  const { upgrade } = setUp({ image: null });
  await expect(upgrade()).rejects.toMatchObject({
    code: 'upgradeFailed',
    message: expect.stringContaining('inside another program') as unknown,
  });
});

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}
