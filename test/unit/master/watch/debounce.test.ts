import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { debounce, type DebounceInput, type DebounceState } from '../../../../src/master/watch/debounce.ts';

function play(
  events: readonly DebounceInput[],
  from: DebounceState = 'quiet',
): { state: DebounceState; effects: string[] } {
  let state = from;
  const effects: string[] = [];
  for (const event of events) {
    const next = debounce(state, event);
    state = next.state;
    if (next.effect !== 'none') effects.push(next.effect);
  }
  return { state, effects };
}

describe('settling', () => {
  it('judges once after many hints and one quiet time', () => {
    const { state, effects } = play(['hinted', 'hinted', 'hinted', 'timerFired', 'scanned']);
    expect(effects).toEqual(['armTimer', 'armTimer', 'armTimer', 'scan', 'judge']);
    expect(state).toBe('quiet');
  });

  it('throws away a scan during which something happened, and waits for quiet again', () => {
    expect(play(['hinted', 'timerFired', 'hinted', 'scanned']).effects).toEqual([
      'armTimer',
      'scan',
      'armTimer',
    ]);
  });

  it('waits once more when a scan found directories that nobody had listened to', () => {
    const { effects } = play(['hinted', 'timerFired', 'scannedAnew', 'timerFired', 'scanned']);
    expect(effects).toEqual(['armTimer', 'scan', 'armTimer', 'scan', 'judge']);
  });

  it('ignores a timer or a scan that nobody waits for', () => {
    expect(play(['timerFired', 'scanned', 'scannedAnew'])).toEqual({ state: 'quiet', effects: [] });
  });

  it('has a timer exactly while settling, one scan at a time, and always ends quiet', () => {
    const disturbances = fc.array(fc.boolean(), { maxLength: 40 });
    fc.assert(
      fc.property(disturbances, (hints) => {
        let state: DebounceState = 'quiet';
        let isArmed = false;
        let isScanning = false;
        const feed = (event: DebounceInput): void => {
          if (event === 'timerFired') isArmed = false;
          if (event === 'scanned' || event === 'scannedAnew') isScanning = false;
          const next = debounce(state, event);
          state = next.state;
          if (next.effect === 'armTimer') isArmed = true;
          if (next.effect === 'scan') {
            expect(isScanning).toBe(false);
            isScanning = true;
          }
          expect(isArmed).toBe(state === 'settling');
          expect(isScanning).toBe(state === 'scanning' || state === 'disturbed');
        };
        const goOn = (): void => {
          if (isArmed) feed('timerFired');
          else if (isScanning) feed('scanned');
        };
        for (const isHint of hints) {
          if (isHint) feed('hinted');
          else goOn();
        }
        for (let left = 0; left < 4; left += 1) goOn();
        expect(state).toBe('quiet');
      }),
    );
  });
});
