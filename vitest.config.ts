import { defineConfig, type ViteUserConfig } from 'vitest/config';

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Most integration tests wait for processes, timers and signals: three files at a time are what two cores carry.
    maxWorkers: 3,
  },
});
export default config;
