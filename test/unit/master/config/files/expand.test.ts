import { expect, test } from 'vitest';
import { expand, type References, refersToVariable } from '../../../../../src/master/config/files/expand.ts';

const references: References = {
  environment: { A: 'one', EMPTY: '', BRACES: '${A}{name}', PORT: '{port}', toString: undefined },
  here: '/srv/app',
  program: 'shop',
  belongsTo: null,
};

test.each([
  ['plain', 'plain'],
  ['${A}', 'one'],
  ['x${A}y${A}z', 'xoneyonez'],
  ['${EMPTY}', ''],
  ['${EMPTY:-b}', 'b'],
  ['${NOT_SET:-b c}', 'b c'],
  ['${NOT_SET:-}', ''],
  ['${NOT_SET:-${A}/x}', 'one/x'],
  ['${NOT_SET:-${ALSO_NOT:-{name}}}', 'shop'],
  ['$$', '$'],
  ['$${A}', '${A}'],
  ['$$$${A}', '$${A}'],
  ['$$${A}', '$one'],
  ['$A and $', '$A and $'],
  ['{here}/{name}', '/srv/app/shop'],
  ['{{name}', '{name}'],
  ['{"a":{"b":1}}', '{"a":{"b":1}}'],
  ['{}', '{}'],
  ['${BRACES}', '${A}{name}'],
])('%s becomes %s', (text, expanded) => {
  expect(expand(text, references)).toEqual({ text: expanded, faults: [] });
});

test.each([
  '${NOT_SET}',
  '${toString}',
  '${A',
  '${}',
  '${A-b}',
  '${1}',
  '${NOT_SET:-${B}}',
  '{nmae}',
  '{ABC}',
])('%s is one fault', (text) => {
  expect(expand(text, references).faults).toHaveLength(1);
});

test.each([
  ['{name} --fd {fd} -b {host}:{port:admin}', 'shop --fd {fd} -b {host}:{port:admin}'],
  // Read by the placeholders themselves, as on the command line.
  ['{{port}} {{{fd}}}', '{{port}} {{{fd}}}'],
  ['{{name} {{here}}', '{name} {here}}'],
  ['{"a":{"port":{port}}}', '{"a":{"port":{port}}}'],
  ['${NOT_SET:-{port}}', '{port}'],
  // What a variable holds is no placeholder.
  ['${PORT}', '{{port}}'],
])('in a command %s becomes %s', (text, expanded) => {
  expect(expand(text, { ...references, belongsTo: 'command' })).toEqual({ text: expanded, faults: [] });
});

test('a placeholder outside of a command is a fault, and so is an unknown one in it', () => {
  expect(expand('/srv/{port}', references).faults).toMatchObject([
    { message: 'there is no placeholder {port}' },
  ]);
  const { faults } = expand('{other} {nmae}', { ...references, belongsTo: 'command' });
  expect(faults.map(({ hint }) => hint)).toEqual([
    expect.stringContaining('{path}'),
    expect.stringContaining('{name}'),
  ]);
});

test('every fault of a text is found', () => {
  expect(expand('${X} {y} ${Z}', references).faults).toHaveLength(3);
});

test('no program, no name', () => {
  expect(expand('{name}', { ...references, program: null }).faults).toHaveLength(1);
});

test('what comes from a variable is known', () => {
  expect(['${A}', 'x$$${A}', '$$', '$${A}', '{name}'].map(refersToVariable)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});

test.each([
  ['logs/{name}-{num}.log', 'logs/shop-{num}.log'],
  ['${NOT_SET:-{num}}', '{num}'],
])('in the name of a log file %s becomes %s', (text, expanded) => {
  expect(expand(text, { ...references, belongsTo: 'logfile' })).toEqual({ text: expanded, faults: [] });
});

test('a placeholder that has no value here is told where it has one', () => {
  const hints = (text: string, belongsTo: References['belongsTo']): readonly (string | null)[] =>
    expand(text, { ...references, belongsTo }).faults.map(({ hint }) => hint);
  expect(hints('{num}', null)).toEqual([
    'it has a value only in command, environment, stdout_logfile and stderr_logfile. For the text itself, write {{num}',
  ]);
  expect(hints('{port}', 'logfile')).toEqual([
    'it has a value only in command and environment. For the text itself, write {{port}',
  ]);
  expect(hints('{nmu}', 'logfile')).toEqual(['did you mean {num}? For the text itself, write {{nmu}']);
});
