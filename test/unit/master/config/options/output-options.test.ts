import { expect, test } from 'vitest';
import { comparePlans } from '../../../../../src/master/config/difference.ts';
import { compileOptions } from '../../../../../src/master/config/options.ts';
import {
  logfilePath,
  type OutputOptions,
  type OutputPlan,
} from '../../../../../src/master/config/options/output-options.ts';
import type { Plan } from '../../../../../src/master/config/plan.ts';

function planWith(options: OutputOptions): Plan {
  return compileOptions({ command: ['app'], port: 0, ...options }, '/srv');
}

function outputOf(options: OutputOptions): OutputPlan | undefined {
  return planWith(options).programs[0]?.output;
}

function changed(before: OutputOptions, after: OutputOptions): unknown {
  return comparePlans(planWith(before), planWith(after)).changed[0];
}

test('a file has the limits that Supervisor gives it', () => {
  expect(outputOf({ stdoutLogfile: 'log/{name}.log' })?.stdout).toEqual({
    to: 'file',
    path: '/srv/log/{name}.log',
    settings: { maxBytes: 50 * 1024 * 1024, backups: 10, compress: false, daily: false, overflow: 'block' },
  });
});

test.each(['none', 'NONE', 'off', '/dev/null'])('%s is no file', (stdoutLogfile) => {
  expect(outputOf({ stdoutLogfile })?.stdout).toEqual({ to: 'none' });
});

test('placeholders are filled in: the folder at once, program and slot when a worker is started', () => {
  const destination = outputOf({ stderrLogfile: '{here}/log/{name}-{num}.log' })?.stderr;
  const path = destination?.to === 'file' ? destination.path : '';
  expect(path).toBe('/srv/log/{name}-{num}.log');
  expect(logfilePath(path, { name: 'shop', slot: 2 })).toBe('/srv/log/shop-2.log');
});

test('stderr is forwarded anyway, and with redirect_stderr goes to a stdout that is', () => {
  expect(outputOf({ stderrLogfile: 'forward' })).toEqual(outputOf({}));
  expect(outputOf({ stdoutLogfile: 'forward', redirectStderr: true })?.stderr).toEqual({ to: 'forward' });
});

test('lines that are passed on have a prefix unless it is turned off', () => {
  expect(outputOf({})?.hasPrefix).toBe(true);
  expect(outputOf({ logPrefix: true, stdoutLogfile: 'a.log' })?.hasPrefix).toBe(true);
  expect(outputOf({ logPrefix: false })).toEqual({ ...outputOf({}), hasPrefix: false });
  expect(outputOf({ logPrefix: false, stdoutLogfile: 'forward', stderrLogfile: 'none' })?.hasPrefix).toBe(
    false,
  );
});

test('redirect_stderr sends stderr to the file of stdout', () => {
  const output = outputOf({ stdoutLogfile: 'a.log', redirectStderr: true });
  expect(output?.stderr).toBe(output?.stdout);
});

test('syslog and journal are daemons, with the sockets of the system unless others are named', () => {
  const rest = { facility: 3, overflow: 'block' };
  expect(outputOf({ stdoutLogfile: 'Syslog', stderrLogfile: 'journal' })).toMatchObject({
    stdout: { to: 'syslog', path: '/dev/log', ...rest },
    stderr: { to: 'journal', path: '/run/systemd/journal/socket', ...rest },
  });
  const other = {
    stdoutLogfile: 'syslog:/run/log',
    syslogFacility: 'local3',
    logfileOverflow: 'drop',
  } as const;
  const stdout = { to: 'syslog', path: '/run/log', facility: 19, overflow: 'drop' };
  expect(outputOf(other)?.stdout).toEqual(stdout);
  expect(outputOf({ ...other, redirectStderr: true })?.stderr).toEqual(stdout);
  expect(outputOf({ stdoutLogfile: './syslog' })?.stdout).toMatchObject({ to: 'file', path: '/srv/syslog' });
});

test('another daemon needs new workers, its facility and overflow do not', () => {
  const before = { stdoutLogfile: 'syslog' };
  expect(changed(before, { stdoutLogfile: 'journal' })).toMatchObject({
    needs: 'reload',
    keys: ['stdout_logfile'],
  });
  expect(changed(before, { ...before, syslogFacility: 'user', logfileOverflow: 'drop' })).toMatchObject({
    needs: 'nothing',
    keys: ['logfile_overflow', 'syslog_facility'],
  });
});

test.each<[OutputOptions, string]>([
  [{ stdoutLogfile: 'syslog:log' }, 'syslog:/path/of/the/socket'],
  [{ syslogFacility: 'user' }, 'needs syslog or journal'],
  [{ stdoutLogfile: 'syslog', logfileTimestamps: true }, 'needs a log file'],
  [{ stdoutLogfile: 'auto' }, 'a file of this name is written ./auto'],
  [{ stdoutLogfile: '/dev/stdout' }, 'inherit'],
  [{ stdoutLogfile: '/var/log/{program}.log' }, 'there is {program}'],
  [{ stdoutLogfile: 'a.log', stdoutLogfileMaxbytes: '50 apples' }, 'such as 50MB'],
  [{ stdoutLogfileMaxbytes: '1MB' }, 'needs a log file'],
  [{ stderrLogfileBackups: 3, stdoutLogfile: 'a.log' }, 'needs a log file'],
  [{ logPrefix: false, stderrLogfile: 'none' }, 'none of its lines are passed on'],
  [{ logfileCompress: true }, 'needs a log file'],
  [{ redirectStderr: true }, 'needs a destination of stdout'],
  [{ redirectStderr: true, stdoutLogfile: 'a.log', stderrLogfile: 'b.log' }, 'has no effect'],
  [{ stdoutLogfile: 'a.log', logfileFormat: 'json', logfileTimestamps: true }, 'has no effect'],
])('%o is refused', (options, message) => {
  expect(() => outputOf(options)).toThrow(message);
});

test('another file is for new workers; limits and formats change while workers run', () => {
  const before = { stdoutLogfile: 'a.log' };
  expect(changed(before, { stdoutLogfile: 'b.log' })).toMatchObject({
    keys: ['stdout_logfile'],
    needs: 'reload',
  });
  expect(
    changed(before, { ...before, stdoutLogfileMaxbytes: '1MB', stdoutLogfileBackups: 2, stripAnsi: true }),
  ).toMatchObject({
    keys: ['stdout_logfile_maxbytes', 'stdout_logfile_backups', 'strip_ansi'],
    needs: 'nothing',
  });
  expect(changed({}, { logPrefix: false })).toMatchObject({ keys: ['log_prefix'], needs: 'nothing' });
});
