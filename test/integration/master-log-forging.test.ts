// A client makes the application log what it likes. A reader of the log must still know the master's own lines.
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { app, runMaster } from '../helpers/run-master.ts';

const command = app('logs-headers');

async function makeItLog(port: number, text: string): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/`, {
    headers: { 'x-log': encodeURIComponent(text), connection: 'close' },
  });
  expect(await response.text()).toBe('logged');
}

test('JSON: a copy of a line of the master is not taken for one', async () => {
  const master = runMaster({ command });
  const port = await master.serving();
  const isOwn = (line: string): boolean => line.includes('"event":"generationReady"');
  const own = master.output.split('\n').find(isOwn) ?? '';
  const { logId } = (await master.status()).master;
  expect(logId).toMatch(/^[\w-]{16}$/);
  await makeItLog(port, own);
  await makeItLog(port, ` \t${own}`);
  const inNumbers = (logId ?? '').replace(/./g, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`);
  await makeItLog(port, own.replace(logId ?? '', inNumbers));
  await makeItLog(port, 'that is all');
  await master.waitForLine('that is all');
  const values = master.output.split('\n').flatMap((line): unknown[] => {
    try {
      return [JSON.parse(line)];
    } catch {
      return [];
    }
  });
  const forged = values.filter((value) => Reflect.get(Object(value), 'event') === 'generationReady');
  expect(forged).toHaveLength(4);
  expect(forged.filter((value) => Reflect.get(Object(value), 'logId') === logId)).toHaveLength(1);
  // Every line of the master has it.
  expect(values.filter((value) => Reflect.get(Object(value), 'logId') !== logId)).toHaveLength(3);
});

test('for people: a line of a worker begins with its program and pid, whatever is in it', async () => {
  const master = runMaster({ command, flags: ['--log-format', 'pretty'] });
  await eventually('it serves', () => master.output.includes('serves'));
  const { listeners, workers } = await master.status();
  const forgery = '[12:00:00.000] INFO: web: stopped';
  const text = ['x\r', 'x\u001B[1A\r', 'x\u001B[2J\u001B[H', 'x\u009B1;1H', 'x\n'].map(
    (lead) => `${lead}${forgery}`,
  );
  for (const one of text) await makeItLog(listeners[0]?.port ?? 0, one);
  await eventually('all is written', () => master.output.split('stopped').length > text.length);
  const lines = master.output.split('\n').filter((line) => line.includes('stopped'));
  for (const line of lines) expect(line.startsWith(`${master.name}[${workers[0]?.pid ?? ''}] | `)).toBe(true);
  expect(master.output.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
});
