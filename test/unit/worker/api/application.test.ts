import { expect, test } from 'vitest';
import { createApplication } from '../../../../src/worker/api/application.ts';

test('the signal is always the same, and aborts when the application may know of the drain, not before', () => {
  const application = createApplication();
  const signal = application.signal();
  expect(signal.aborted).toBe(false);
  application.tellOfDrain();
  expect(signal.aborted).toBe(true);
  expect(application.signal()).toBe(signal);
});

test('a signal that is asked for during the drain has aborted', () => {
  const application = createApplication();
  application.tellOfDrain();
  expect(application.signal().aborted).toBe(true);
});

test('a signal with many listeners is no leak, and does not warn', async () => {
  const warnings: Error[] = [];
  const hear = (warning: Error): number => warnings.push(warning);
  process.on('warning', hear);
  const signal = createApplication().signal();
  for (let n = 0; n < 30; n++) signal.addEventListener('abort', () => undefined);
  // Warnings are emitted in the next tick.
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', hear);
  expect(warnings).toEqual([]);
});
