/**
 * `expect` for properties, which check some things a million times. The one of vitest takes 20 microseconds even where a comparison takes none; here it is
 * called only with what has failed, or has to be looked at more closely.
 */
import { isDeepStrictEqual } from 'node:util';
import { expect as thorough } from 'vitest';

class Expectation<T> {
  readonly #actual: T;

  constructor(actual: T) {
    this.#actual = actual;
  }

  get not(): Pick<Expectation<T>, 'toBe' | 'toContain'> {
    const actual = this.#actual;
    return {
      toBe: (other) => {
        if (Object.is(actual, other)) thorough(actual).not.toBe(other);
      },
      toContain: (item) => {
        if (includes(actual, item)) thorough(actual).not.toContain(item);
      },
    };
  }

  toBe(wanted: T): void {
    if (!Object.is(this.#actual, wanted)) thorough(this.#actual).toBe(wanted);
  }

  toBeNull(): void {
    if (this.#actual !== null) thorough(this.#actual).toBeNull();
  }

  toEqual(wanted: unknown): void {
    if (!isDeepStrictEqual(this.#actual, wanted)) thorough(this.#actual).toEqual(wanted);
  }

  toContain(item: unknown): void {
    if (!includes(this.#actual, item)) thorough(this.#actual).toContain(item);
  }

  toHaveLength(length: number): void {
    if (!Array.isArray(this.#actual) || this.#actual.length !== length)
      thorough(this.#actual).toHaveLength(length);
  }

  toBeLessThan(bound: number): void {
    if (!(Number(this.#actual) < bound)) thorough(this.#actual).toBeLessThan(bound);
  }

  toBeLessThanOrEqual(bound: number): void {
    if (!(Number(this.#actual) <= bound)) thorough(this.#actual).toBeLessThanOrEqual(bound);
  }

  toBeGreaterThan(bound: number): void {
    if (!(Number(this.#actual) > bound)) thorough(this.#actual).toBeGreaterThan(bound);
  }

  toBeGreaterThanOrEqual(bound: number): void {
    if (!(Number(this.#actual) >= bound)) thorough(this.#actual).toBeGreaterThanOrEqual(bound);
  }
}

function includes(list: unknown, item: unknown): boolean {
  return Array.isArray(list) && list.includes(item);
}

export function expect<T>(actual: T): Expectation<T> {
  return new Expectation(actual);
}
