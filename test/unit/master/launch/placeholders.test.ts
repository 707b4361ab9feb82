import { describe, expect, test } from 'vitest';
import type { AnnouncedListener } from '../../../../src/shared/protocol.ts';
import {
  escapePlaceholders,
  fillPlaceholders,
  namesDescriptor,
  placeholderFaults,
} from '../../../../src/master/launch/placeholders.ts';

const listeners: readonly AnnouncedListener[] = [
  { name: 'default', type: 'tcp', fd: 3, host: '127.0.0.1', port: 8000, backlog: 1 },
  { name: 'admin', type: 'tcp', fd: 4, host: '::1', port: 9000, backlog: 1 },
  { name: 'bound', standsFor: 'asked', type: 'tcp', fd: 5, host: '::1', port: 9001, backlog: 1 },
];

/** Braces that mean something else. */
const untouched = [
  '{}',
  '{ port }',
  '${port}',
  '${fd:-3}',
  '%{port}',
  '%{http_code}',
  '#{port}',
  '{print $1}',
  '{print}',
  '{id}',
  '{"port":8000}',
  '{{.Names}}',
  '{{ port }}',
  '{a,b}',
  '{other}',
  'a}b{c',
  '{name}',
];

describe('placeholders are filled in', () => {
  test.each([
    ['{fd}', '3'],
    ['fd://{fd}', 'fd://3'],
    ['NGINX={fd};{fd:admin};', 'NGINX=3;4;'],
    ['{host}:{port}={fd}', '127.0.0.1:8000=3'],
    ['[{host:admin}]:{port:admin}', '[::1]:9000'],
    ['{fd:asked}', '5'],
    ['{"a":{"port":{port}}}', '{"a":{"port":8000}}'],
    ['{{port}}', '{port}'],
    ['{{{port}}}', '{{port}}'],
    ['{{fd:admin}} {fd:admin}', '{fd:admin} 4'],
    // Not bound: --check looks at a command that has no listener.
    ['{fd:gone}', '{fd:gone}'],
    ...untouched.map((text) => [text, text]),
  ])('%s becomes %s', (text, filled) => {
    expect(fillPlaceholders(text, listeners, 0)).toBe(filled);
  });
});

test.each(untouched)('%s is no fault', (text) => {
  expect(placeholderFaults(text, listeners)).toEqual([]);
});

test.each([
  ['{prot}', 'there is no placeholder {prot}', '{port}'],
  ['{PORT}', 'there is no placeholder {PORT}', '{port}'],
  ['{hots}', 'there is no placeholder {hots}', '{host}'],
  ['{fd:admn}', '{fd:admn} names no listener', '{fd:admin}'],
  ['{port:web}', '{port:web} names no listener', 'default, admin'],
  ['{path}', '{path} has no value', 'unix:/run/app.sock'],
])('%s is a fault, and the hint says what was meant', (text, message, hint) => {
  const faults = placeholderFaults(`x ${text} y`, listeners);
  expect(faults).toEqual([
    { message: expect.stringContaining(message) as string, hint: expect.stringContaining(hint) as string },
  ]);
  expect(faults[0]?.hint).toContain(`{${text}}`);
});

test('what is escaped is text, and no fault', () => {
  for (const text of ['{port}', '{{fd}}', '{prot}', 'a{path}}b', ...untouched]) {
    const escaped = escapePlaceholders(text);
    expect(fillPlaceholders(escaped, listeners, 0)).toBe(text);
    expect(placeholderFaults(escaped, listeners)).toEqual([]);
  }
});

test('a command that names a descriptor is told of it in its own way', () => {
  expect(['--fd {fd}', '{fd:admin}', '{{fd}}', '{port}', '${fd}'].map(namesDescriptor)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});

test('the path is that of the first UNIX socket, and the port that of the first TCP port', () => {
  const both: readonly AnnouncedListener[] = [
    { name: 'default', type: 'unix', fd: 3, path: '/run/a.sock', backlog: 1 },
    { name: 'tcp', type: 'tcp', fd: 4, host: '::1', port: 9000, backlog: 1 },
  ];
  expect(fillPlaceholders('{fd} {path} {port} {path:default}', both, 0)).toBe(
    '3 /run/a.sock 9000 /run/a.sock',
  );
  expect(placeholderFaults('{fd} {path} {port}', both)).toEqual([]);
  expect(placeholderFaults('{port:default}', both)).toMatchObject([
    { message: '{port:default} names a listener that has no port' },
  ]);
});

test('the port is that of a UDP listener only where there is none of TCP', () => {
  const udp: AnnouncedListener = {
    name: 'default',
    type: 'udp',
    fd: 3,
    host: '0.0.0.0',
    port: 5353,
    backlog: 0,
  };
  const tcp: AnnouncedListener = { name: 'web', type: 'tcp', fd: 4, host: '::1', port: 9000, backlog: 1 };
  expect(fillPlaceholders('{fd} {host} {port}', [udp], 0)).toBe('3 0.0.0.0 5353');
  expect(fillPlaceholders('{fd} {port} {port:default}', [udp, tcp], 0)).toBe('3 9000 5353');
});

test('{num} is the slot of the worker, with listeners and without', () => {
  expect(fillPlaceholders('--id={num} {{num}} {NUM}', [], 3)).toBe('--id=3 {num} {NUM}');
  expect(placeholderFaults('{num} {sum} {NUM}', [])).toEqual([]);
  expect(placeholderFaults('{num:admin}', [])).toHaveLength(1);
});
