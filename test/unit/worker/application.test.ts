import { expect, test } from 'vitest';
import { createApplication } from '../../../src/worker/application.ts';

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
