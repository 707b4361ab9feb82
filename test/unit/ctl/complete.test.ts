import { expect, test } from 'vitest';
import { completeWords } from '../../../src/ctl/complete.ts';

const running = {
  programs: [
    { word: 'shop', about: 'serving' },
    { word: 'blue:api', about: 'stopped' },
  ],
  masters: [{ word: 'blue', about: '/run/blue.sock' }],
};

function words(line: string): readonly string[] {
  return completeWords(line.split(' '), running).candidates.map(({ word }) => word);
}

test.each([
  ['reload ', ['shop', 'blue:api']],
  ['reload shop ', ['blue:api']],
  ['reload --wait ', ['shop', 'blue:api']],
  ['--json status ', ['shop', 'blue:api']],
  ['ps ', ['shop', 'blue:api']],
  ['update ', ['blue']],
  ['reload --all ', []],
  ['reload --wait=', ['--wait=serving', '--wait=settled', '--wait=drained']],
  ['stop --wait=', []],
  ['completion ', ['bash', 'zsh', 'fish']],
  ['completion bash ', []],
  ['nonsense ', []],
])('gracefulctl %s', (line, expected) => {
  expect(words(line).filter((word) => !/^--(?!wait=)/.test(word))).toEqual(expected);
});

test('an option that was given is not offered again, and only commands have theirs', () => {
  expect(words('update --dry-run --')).not.toContain('--dry-run');
  expect(words('update --')).toContain('--dry-run');
  expect(words('list --')).not.toContain('--dry-run');
  expect(words('--')).toEqual(['--json', '--all', '--name', '--help', '--version']);
});
