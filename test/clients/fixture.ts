/** The programs of test/fixtures/clients/, which know nothing of graceful-run. */

export const fixtures: string = new URL('../fixtures/clients/', import.meta.url).pathname;

export function fixture(name: string): string {
  return `${fixtures}${name}`;
}

/** The command that runs one of them. */
export function node(name: string, ...options: readonly string[]): readonly string[] {
  return [process.execPath, ...options, fixture(name)];
}
