import { expect, test } from 'vitest';
import { understandAll } from '../../../../src/ctl/masters/selection.ts';
import { answeringMaster, silentMaster } from '../../../helpers/example-programs.ts';

const masters = [answeringMaster('platform', ['api', 'shop']), silentMaster('odd')];
const site = answeringMaster('site', ['web']);
const allAlone = { words: ['all'], all: false };

test('the word all means everything, whatever else is named', () => {
  expect(understandAll(allAlone, masters)).toEqual({ words: [], all: true });
  expect(understandAll({ words: ['shop', 'all'], all: false }, masters)).toEqual({ words: [], all: true });
});

test.each([
  ['a program', answeringMaster('site', ['web', 'all'])],
  ['a master', answeringMaster('all', ['web'])],
  ['a master that does not answer', silentMaster('all')],
  ['a group', { ...site, programs: site.programs.map((one) => ({ ...one, group: 'all' })) }],
])('%s called all is meant by that word', (_what, named) => {
  expect(understandAll(allAlone, [...masters, named])).toEqual(allAlone);
});

test('other words stay as they are', () => {
  const wanted = { words: ['alls', 'shop'], all: false };
  expect(understandAll(wanted, masters)).toBe(wanted);
});
