/** Milliseconds on a clock that only goes forward. Not `performance.now()`: some applications, and test tools, replace that global. */
export function nowMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}
