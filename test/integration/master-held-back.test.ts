// Bytes that an own protocol has not read yet are read once, and in order, wherever its connection is.
import { expect, test } from 'vitest';
import { runMaster } from '../helpers/run-master.ts';
import { Wire } from '../helpers/wire.ts';

const script = new URL('../fixtures/apps/holds-back.mjs', import.meta.url).pathname;
const bytes = String.fromCharCode(...Array.from({ length: 251 }, (_, at) => at));

test.each([
  // More than what Node.js reads ahead of a paused socket; it was being read when it was let go of.
  { what: 'as much as was sent', size: 1_000_000, env: {}, generation: 2 },
  { what: 'what was sent, when letting go fails', size: 1_000, env: { RELEASED: 'throws' }, generation: 1 },
])('a paused connection: $what', async ({ size, env, generation }) => {
  const master = runMaster({ command: [process.execPath, script], env });
  const port = await master.serving();
  const wires = await Promise.all(Array.from({ length: 5 }, () => Wire.connect(port)));
  await master.waitForLine('held 5');
  const text = bytes.repeat(size / bytes.length + 1).slice(0, size);
  for (const { socket } of wires) socket.end(Buffer.from(text, 'latin1'));
  await master.reload(2);
  for (const wire of wires) {
    expect(await wire.closed).toBe('end');
    expect(JSON.parse(wire.received)).toEqual({ generation, size, isInOrder: true });
  }
});
