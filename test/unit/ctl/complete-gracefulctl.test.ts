import { expect, test } from 'vitest';
import type { Candidate } from '../../../src/shared/completion.ts';
import { completeWords } from '../../../src/ctl/complete-gracefulctl.ts';

const running = {
  programs: [
    { word: 'shop', about: 'serving' },
    { word: 'blue:api', about: 'stopped' },
  ],
  masters: [{ word: 'blue', about: '/run/blue.sock' }],
};

async function words(line: string): Promise<readonly string[]> {
  const { candidates } = await completeWords(line.split(' '), (of) => Promise.resolve(running[of]));
  return candidates.map(({ word }) => word);
}

test.each([
  ['reload ', ['shop', 'blue:api']],
  ['reload shop ', ['blue:api']],
  ['reload --wait ', ['shop', 'blue:api']],
  ['--json status ', ['shop', 'blue:api']],
  ['ps ', ['shop', 'blue:api']],
  ['update ', ['blue']],
  ['upgrade ', ['blue']],
  ['reload --all ', []],
  ['reload --wait=', ['--wait=serving', '--wait=settled', '--wait=drained']],
  ['stop --wait=', []],
  ['completion ', ['bash', 'zsh', 'fish']],
  ['completion bash ', []],
  ['nonsense ', []],
])('gracefulctl %s', async (line, expected) => {
  expect((await words(line)).filter((word) => !/^--(?!wait=)/.test(word))).toEqual(expected);
});

test('an option that was given is not offered again, and only commands have theirs', async () => {
  expect(await words('update --dry-run --')).not.toContain('--dry-run');
  expect(await words('update --')).toContain('--dry-run');
  expect(await words('list --')).not.toContain('--dry-run');
  expect(await words('--')).toEqual(['--json', '--all', '--name', '--help', '--version']);
});

test.each([
  ['', []],
  ['rel', []],
  ['reload --w', []],
  ['reload --all ', []],
  ['completion ', []],
  ['reload s', ['programs']],
  ['update ', ['masters']],
])('for `gracefulctl %s`, only names that can stand there are looked for: %j', async (line, expected) => {
  const asked: string[] = [];
  await completeWords(line.split(' '), (of): Promise<readonly Candidate[]> => {
    asked.push(of);
    return Promise.resolve([]);
  });
  expect(asked).toEqual(expected);
});
