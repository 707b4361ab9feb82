import { describe, expect, it, vi } from 'vitest';
import { createReadiness } from '../../../../src/worker/listen/worker-readiness.ts';

describe('readiness', () => {
  it('is announced once, when all declared listeners listen', () => {
    const announce = vi.fn();
    const readiness = createReadiness(['a', 'b'], announce);
    readiness.listening('a');
    readiness.released('a');
    readiness.listening('b');
    expect(announce).not.toHaveBeenCalled();
    readiness.listening('a');
    readiness.released('a');
    readiness.listening('a');
    expect(announce).toHaveBeenCalledTimes(1);
  });

  it('waits for the word in manual mode, and remembers it', () => {
    const announce = vi.fn();
    const readiness = createReadiness(['a'], announce);
    expect(readiness.choose('manual')).toBe('chosen');
    readiness.say();
    expect(announce).not.toHaveBeenCalled();
    readiness.listening('a');
    expect(announce).toHaveBeenCalledTimes(1);
  });

  it('can be chosen once, and not after it was announced', () => {
    const readiness = createReadiness(['a'], () => undefined);
    expect(readiness.choose('auto')).toBe('chosen');
    expect(readiness.choose('auto')).toBe('chosen');
    expect(readiness.choose('manual')).toBe('disagrees');
    const late = createReadiness(['a'], () => undefined);
    late.listening('a');
    expect(late.choose('manual')).toBe('tooLate');
  });

  it('comes without listeners after the first turn of the application', () => {
    const announce = vi.fn();
    const readiness = createReadiness([], announce);
    readiness.say();
    expect(announce).not.toHaveBeenCalled();
    readiness.loaded();
    expect(announce).toHaveBeenCalledTimes(1);
  });

  it('is not announced while something holds it', () => {
    const announce = vi.fn();
    const readiness = createReadiness(['a'], announce);
    const [first, second] = [readiness.delay(), readiness.delay()];
    readiness.listening('a');
    first();
    first();
    expect(announce).not.toHaveBeenCalled();
    second();
    expect(announce).toHaveBeenCalledTimes(1);
  });
});
