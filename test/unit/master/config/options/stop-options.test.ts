import { expect, test } from 'vitest';
import { compileOptions, type MasterOptions } from '../../../../../src/master/config/options.ts';
import { stopPattern, type StopPlan } from '../../../../../src/master/config/options/stop-options.ts';

function plan(options: Partial<MasterOptions>): StopPlan | undefined {
  return compileOptions({ command: ['app'], port: 0, drainTimeout: '9s', ...options }, '/').programs[0]?.stop;
}

test.each<[Partial<MasterOptions>, StopPlan['steps']]>([
  [{}, null],
  [{ stopasgroup: true }, null],
  [{ stopSignal: 'INT' }, [{ signal: 'SIGINT', waitMs: 9_000 }]],
  [{ stopSignal: 'INT', stopwaitsecs: '3s' }, [{ signal: 'SIGINT', waitMs: 3_000 }]],
  [{ stopwaitsecs: '3s' }, [{ signal: null, waitMs: 3_000 }]],
  [
    { stopSignal: 'TERM 10s, SIGINT,KILL', stopwaitsecs: '3s' },
    [
      { signal: 'SIGTERM', waitMs: 10_000 },
      { signal: 'SIGINT', waitMs: 3_000 },
    ],
  ],
  [{ stopSignal: 'KILL' }, []],
])('%j is a stop in the steps %j', (options, steps) => {
  expect(plan(options)?.steps).toEqual(steps);
});

test.each(['', 'TERM,', 'STOP', 'TERM 10', 'KILL 5s', 'KILL, TERM', 'TERM 25h', 'term'])(
  '%j is no list of signals',
  (stopSignal) => {
    expect(() => plan({ stopSignal })).toThrow(expect.objectContaining({ code: 'badOption' }));
  },
);

test('the pattern for editors takes what the option takes', () => {
  const whole = new RegExp(`^(?:${stopPattern})$`);
  for (const written of ['INT', 'TERM 10s, SIGINT,KILL', 'KILL', 'USR1 1.5s, TERM'])
    expect(written).toMatch(whole);
  for (const written of ['', 'TERM,', 'STOP', 'KILL, TERM']) expect(written).not.toMatch(whole);
});
