import { expect, test } from 'vitest';
import { carryOut } from '../../../../src/ctl/act/carry-out.ts';
import { plain } from '../../../../src/ctl/show/status-view.ts';

test.each([
  ['reload', false, 4],
  ['reload', true, 100],
  ['upgrade', true, 4],
] as const)(
  'of 120 requests (%s, which waits: %s), at most %i are sent at a time',
  async (kind, waits, expected) => {
    let running = 0;
    let most = 0;
    const job = (name: string) => ({
      subject: { master: 'm', program: name },
      label: name,
      run: async () => {
        running += 1;
        most = Math.max(most, running);
        await Promise.resolve();
        running -= 1;
        return { state: 'accepted', text: 'done', result: { generation: 2 } } as const;
      },
    });
    const jobs = Array.from({ length: 120 }, (_, index) => job(`p${index}`));
    const lines: string[] = [];
    await carryOut(
      { kind, json: false },
      {
        out: (text) => lines.push(text),
        outSlowly: () => Promise.resolve(),
        err: (text) => lines.push(text),
        styles: plain,
        errStyles: plain,
        columns: null,
        isInteractive: false,
      },
      { master: null, program: null },
      () => Promise.resolve({ jobs, waits, watched: [] }),
    );
    expect(most).toBe(expected);
    expect(lines).toHaveLength(120);
  },
);
