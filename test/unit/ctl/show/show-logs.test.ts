import { expect, test } from 'vitest';
import { printerFor } from '../../../../src/ctl/show/show-logs.ts';
import { plain } from '../../../../src/ctl/show/status-view.ts';

const known = { stream: 'stdout', generation: 3, slot: 0, worker: 4_242, time: 1, line: 'GET /cart 200' };
const ofNewerMaster = '{"gap":{"bytes":4096}}';

/** What is printed of these lines. */
async function printed(label: string | null, isJson: boolean): Promise<readonly string[]> {
  const out: string[] = [];
  const print = printerFor(label, isJson, {
    outSlowly: (text) => {
      out.push(text);
      return Promise.resolve();
    },
    err: (text) => out.push(`stderr: ${text}`),
    styles: plain,
  });
  for (const line of [JSON.stringify(known), ofNewerMaster, '{"notice":"stdout is not kept"}'])
    await print(line);
  return out;
}

test('a line of a worker comes with its generation and pid, and with its program where there are several', async () => {
  const notice = 'stdout is not kept\n';
  expect(await printed(null, false)).toEqual(['3/4242 | GET /cart 200\n', `stderr: gracefulctl: ${notice}`]);
  expect(await printed('shop', false)).toEqual([
    'shop 3/4242 | GET /cart 200\n',
    `stderr: gracefulctl: shop: ${notice}`,
  ]);
});

test('with --json, a record of a newer master is printed as it came', async () => {
  for (const label of [null, 'shop']) {
    const [first = '', second] = await printed(label, true);
    expect(JSON.parse(first)).toEqual({ ...(label === null ? {} : { program: label }), ...known });
    expect(second).toBe(`${ofNewerMaster}\n`);
  }
});
