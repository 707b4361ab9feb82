/** The environment variables of the application (bench/apps/work.cjs). */

export function webSocketEnvironment(webSockets: boolean): NodeJS.ProcessEnv {
  return webSockets ? { BENCH_WEBSOCKETS: '1' } : {};
}
