// Each default is in defaults.ts; whatever else states one must state this one.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { optionTable } from '../../../../../src/master/cli/option-table.ts';
import { masterKeys, programKeys } from '../../../../../src/master/config/files/config-keys.ts';
import {
  compileOptions,
  compileProgram,
  type ProgramOptions,
} from '../../../../../src/master/config/options.ts';
import {
  defaults,
  defaultsOfOnly,
  defaultsOfType,
} from '../../../../../src/master/config/options/defaults.ts';

type Defaults = Readonly<Record<string, string | number | boolean | readonly number[]>>;
const all: Defaults = defaults;
const command = ['node', 'app.js'];
const server = { command, port: 80 };

/** With what an option has an effect, if it is not by itself. */
const beside: Readonly<Record<string, ProgramOptions>> = {
  maxUnavailable: { ...server, maxSurge: 1 },
  ipv6Only: { command, listen: ['[::]:80'] },
  overlap: { command, type: 'worker' },
  adoptGrace: { command, type: 'worker', adoptPidFile: '/run/app.pid' },
  ifRunning: { command, type: 'oneshot', schedule: '@daily' },
  ifMissed: { command, type: 'oneshot', schedule: '@daily' },
  replaceInterval: { ...server, maxLifetime: '1h' },
  hookTimeout: { ...server, hooks: { postReady: 'true' } },
  stdoutLogfileMaxbytes: { ...server, stdoutLogfile: 'out.log' },
  stdoutLogfileBackups: { ...server, stdoutLogfile: 'out.log' },
  stderrLogfileMaxbytes: { ...server, stderrLogfile: 'err.log' },
  stderrLogfileBackups: { ...server, stderrLogfile: 'err.log' },
  syslogFacility: { ...server, stdoutLogfile: 'syslog' },
  logfileOverflow: { ...server, stdoutLogfile: 'out.log' },
};
const notOfPrograms = ['control', 'remember', 'logLevel'];

test.for(Object.keys(defaults).filter((option) => !notOfPrograms.includes(option)))(
  'the default of %s is what the option is if it is left out',
  (option) => {
    const without: ProgramOptions = beside[option] ?? server;
    const plan = compileProgram('shop', without, '/srv');
    expect(compileProgram('shop', { ...without, [option]: all[option] }, '/srv')).toEqual(plan);
  },
);

test.for(
  (['worker', 'oneshot'] as const).flatMap((type) =>
    Object.entries<unknown>(defaultsOfType[type]).map(([option, value]) => [type, option, value] as const),
  ),
)('the default of a %s for %s is what the option is if it is left out', ([type, option, value]) => {
  const without: ProgramOptions = { command, type };
  const plan = compileProgram('shop', without, '/srv');
  expect(compileProgram('shop', { ...without, [option]: value }, '/srv')).toEqual(plan);
  expect(compileProgram('shop', { ...without, [option]: all[option] }, '/srv')).not.toEqual(plan);
});

test('the default of a master for an option is what the option is if it is left out', () => {
  const { startretries } = defaultsOfOnly;
  const { control } = defaults;
  expect(compileOptions({ ...server, startretries, control }, '/srv')).toEqual(
    compileOptions(server, '/srv'),
  );
});

/** Of a table, as `3` of "3; 0 for a `oneshot`". */
function firstOf(stated: string): string {
  return stated.split(';')[0] ?? '';
}

test('no row of the command line states another default', () => {
  for (const { flag, option, default: stated } of optionTable) {
    const of: Defaults = { ...defaults, ...defaultsOfOnly };
    const own = of[option ?? (flag === 'log-level' ? 'logLevel' : '')];
    if (stated === null || own === undefined) continue;
    const text = typeof own === 'boolean' ? (own ? 'on' : 'off') : String(own);
    expect([flag, stated]).toEqual([flag, text]);
  }
});

test('no key of a config file states another default, or one that is not in the list', () => {
  const words = [
    'required',
    'none',
    'empty',
    'off',
    'stay',
    /^the /u,
    /^that of /u,
    /^what /u,
    /^required, /u,
    /^each /u,
    /^`drain_timeout`/u,
    /^pretty on /u,
  ];
  for (const [key, { default: stated, option }] of Object.entries({ ...programKeys, ...masterKeys })) {
    const own = all[option ?? key.replace(/_(.)/gu, (_, letter: string) => letter.toUpperCase())];
    if (own !== undefined) expect([key, firstOf(stated)]).toEqual([key, String(own)]);
    else if (key !== 'watch')
      expect(
        words.some((word) => (typeof word === 'string' ? stated === word : word.test(stated))),
        `${key}: ${stated}`,
      ).toBe(true);
  }
});

test('no comment on an option states another default', () => {
  const folder = `${import.meta.dirname}/../../../../../src/master/config`;
  const files = [
    `${folder}/options.ts`,
    ...readdirSync(`${folder}/options`)
      // A group has a priority of its own.
      .filter((file) => file !== 'group-options.ts')
      .map((file) => `${folder}/options/${file}`),
  ];
  const stated = files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*readonly (\w+)\?:/gu)].flatMap(
      ([, comment = '', option = '']) => {
        const [, value] = /Default:? `?([^\s`;,]+?)`?(?:[\s;,]|\.(?:\s|$))/u.exec(comment) ?? [];
        return value === undefined ? [] : [[option, value] as const];
      },
    ),
  );
  expect(stated.length).toBeGreaterThan(30);
  for (const [option, value] of stated)
    if (option in all && value !== 'at') expect([option, value]).toEqual([option, String(all[option])]);
});
