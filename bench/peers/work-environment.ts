/** What the work (bench/apps/work.cjs) is told by its environment. */

export function webSocketEnvironment(webSockets: boolean): NodeJS.ProcessEnv {
  return webSockets ? { BENCH_WEBSOCKETS: '1' } : {};
}
