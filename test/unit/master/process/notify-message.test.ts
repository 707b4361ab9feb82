import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseNotification } from '../../../../src/master/process/notify-message.ts';

const said = (text: string): ReturnType<typeof parseNotification> =>
  parseNotification(new TextEncoder().encode(text));

test('a message may say several things', () => {
  expect(said('READY=1\nSTATUS=up and running\nMAINPID=42\nERRNO=2\nEXTEND_TIMEOUT_USEC=1500001')).toEqual({
    isReady: true,
    isStopping: false,
    status: 'up and running',
    errno: 2,
    mainPid: 42,
    extendMs: 1_501,
    isAlive: false,
    isHung: false,
    watchdogMs: null,
    storesDescriptors: false,
  });
  expect(said('STOPPING=1')).toMatchObject({ isStopping: true, isReady: false });
  expect(said('WATCHDOG=1')).toMatchObject({ isAlive: true });
  expect(said('FDSTORE=1')).toMatchObject({ storesDescriptors: true });
});

test.each(['', 'READY', 'X=1', '=', 'ready=1', `READY=1\n${'x'.repeat(5_000)}`])(
  'what means nothing is passed over: %j',
  (text) => {
    expect(said(text)).toBeNull();
  },
);

test('values that are no numbers are passed over', () => {
  expect(said('MAINPID=-1\nERRNO=x\nEXTEND_TIMEOUT_USEC=1e9')).toMatchObject({
    mainPid: null,
    errno: null,
    extendMs: null,
  });
  expect(said('READY=0')).toMatchObject({ isReady: false });
});

test.each(['RELOADING=1', 'BARRIER=1', 'RELOADING=1\nMONOTONIC_USEC=1'])(
  '%j is a message, and asks for nothing',
  (text) => {
    expect(said(text)).toEqual({
      isReady: false,
      isStopping: false,
      status: null,
      errno: null,
      mainPid: null,
      extendMs: null,
      isAlive: false,
      isHung: false,
      watchdogMs: null,
      storesDescriptors: false,
    });
  },
);

test('no bytes make it throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5_000 }), (bytes) => {
      parseNotification(bytes);
    }),
  );
});

test('the watchdog: a sign of life, a failure, and another time', () => {
  expect(said('WATCHDOG=1')).toMatchObject({ isAlive: true, isHung: false, watchdogMs: null });
  expect(said('WATCHDOG=trigger')).toMatchObject({ isAlive: false, isHung: true });
  expect(said('WATCHDOG_USEC=20000000')).toMatchObject({ isAlive: false, watchdogMs: 20_000 });
  expect(said('WATCHDOG_USEC=0')).toMatchObject({ watchdogMs: 0 });
  // Longer than any timer.
  expect(said('WATCHDOG_USEC=2147483647000')).toMatchObject({ watchdogMs: 2 ** 31 - 1 });
  expect(said('WATCHDOG_USEC=2147483647001')).toMatchObject({ watchdogMs: 0 });
  expect(said('WATCHDOG_USEC=999999999999999')).toMatchObject({ watchdogMs: 0 });
  expect(said('WATCHDOG_USEC=-1')).toMatchObject({ watchdogMs: null });
});
