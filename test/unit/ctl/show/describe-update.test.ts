import { expect, test } from 'vitest';
import { describeUpdate } from '../../../../src/ctl/show/describe-update.ts';
import { plain } from '../../../../src/ctl/show/status-view.ts';
import type { UpdateResult } from '../../../../src/shared/control-api.ts';

const nothing = { added: [], removed: [], changed: [], master: [] } as const;
const result: UpdateResult = {
  file: '/etc/graceful.toml',
  difference: {
    added: ['api'],
    removed: ['old'],
    changed: [
      { program: 'shop', keys: ['port', 'workers'], needs: 'reload', later: [], runsAgain: false },
      { program: 'db', keys: ['listen'], needs: 'restart', later: [], runsAgain: false },
      {
        program: 'mail',
        keys: ['workers', 'autostart'],
        needs: 'nothing',
        later: ['autostart'],
        runsAgain: false,
      },
      { program: 'job', keys: ['autostart'], needs: 'nothing', later: ['autostart'], runsAgain: false },
      { program: 'prepare', keys: ['command'], needs: 'reload', later: [], runsAgain: true },
    ],
    master: ['log_level'],
  },
  applied: false,
  programs: [],
};

test('a difference has a line for each program, with what it takes', () => {
  expect(describeUpdate(result, plain)).toEqual([
    '+ api',
    '- old',
    '~ shop: port, workers (needs a reload)',
    '~ db: listen (needs a restart)',
    '~ mail: workers (takes effect at once), autostart (takes effect when the master is started again)',
    '~ job: autostart (takes effect when the master is started again)',
    '~ prepare: command (runs it again)',
    '~ the master: log_level (takes effect when it is started again)',
    'nothing was done: to apply /etc/graceful.toml, run the same command without --dry-run',
  ]);
});

test('an update that was applied tells what has come of each program', () => {
  const programs = [
    { program: 'api', done: 'started', problem: null },
    { program: 'shop', done: 'reloaded', problem: 'the worker exited with code 1' },
  ] as const;
  expect(
    describeUpdate({ ...result, difference: { ...nothing, added: ['api'] }, applied: true, programs }, plain),
  ).toEqual(['+ api', 'api: started', 'shop: not reloaded: the worker exited with code 1']);
});

test('a file that says nothing new is told so', () => {
  expect(describeUpdate({ ...result, difference: nothing }, plain)).toEqual([
    'nothing to update: /etc/graceful.toml contains no changes',
  ]);
});
