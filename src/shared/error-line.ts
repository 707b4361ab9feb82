/**
 * Finds the line of a program's output that names its error: `SyntaxError: …`, `ModuleNotFoundError: …`, `panic: …`. Pure. It is a
 * guess about text that programs write for people, and is used for nothing but showing it.
 */

/**
 * Lines that name an error, as Node.js, Python, Java, Ruby, PHP, Go, Rust and many others write them. An indented line is never one: it belongs to
 * another line.
 */
const patterns: readonly RegExp[] = [
  // TypeError: x · Error [ERR_X]: x · AggregateError · package.SomeException: x · Uncaught TypeError: x
  /^(?:Uncaught )?(?:[A-Za-z_$][\w$]*\.)*[A-Z][\w$]*(?:Error|Exception)(?: \[[^\]]+\])?(?::|$)/,
  /^Error(?: \[[^\]]+\])?(?::|$)/,
  /^Exception in thread /,
  /^(?:PHP )?(?:Fatal|Parse) error: /i,
  /^panic: /,
  /^thread '.*' .*panicked at /,
  /^\S+\.rb:\d+:in .*\(\S+\)$/,
  /^(?:error|fatal|fatal error)(?:\[\w+\])?: /i,
];

/* oxlint-disable-next-line no-control-regex */
const colours = /\u001B\[[\d;]*m/g;

/** Whether the line names an error. */
export function namesError(line: string): boolean {
  const bare = line.replaceAll(colours, '');
  return patterns.some((pattern) => pattern.test(bare));
}

/** Text that follows the line that names the error, and belongs to it: stack, properties, the launcher's own words. */
const sequel =
  /^(?:\s|$|[}\]]|Node\.js v\d|Emitted '|Require stack:|- |Caused by: |npm |error Command failed|info Visit |\(Use `|goroutine \d|main\.|exit status \d)/;

/** Whether the line may follow the one that names the error. */
export function followsError(line: string): boolean {
  return sequel.test(line.replaceAll(colours, ''));
}

const maxLength = 300;

/** Returns the line that names the error with which the output ended, shortened; null if it ended with something else. */
export function errorLineOf(lines: readonly string[]): string | null {
  const found = lines.findLast((line) => namesError(line) || !followsError(line));
  if (found === undefined || !namesError(found)) return null;
  return found.length > maxLength ? `${found.slice(0, maxLength)}…` : found;
}
