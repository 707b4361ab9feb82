import { readdirSync, readFileSync } from 'node:fs';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

/** Unit tests that replace a module, which they do for their whole process. */
const mocking = readdirSync(new URL('test/unit/', import.meta.url), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.test.ts'))
  .map((path) => `test/unit/${path}`)
  .filter((path) => /\bvi\.(?:do)?mock\(/i.test(readFileSync(new URL(path, import.meta.url), 'utf8')));

const config: ViteUserConfig = defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Most integration tests wait for processes, timers and signals: three files at a time are what two cores carry.
    maxWorkers: 3,
    projects: [
      {
        extends: true,
        // Many and short: a process for each file would take longer than its tests.
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'], exclude: mocking, isolate: false },
      },
      {
        extends: true,
        test: {
          name: 'isolated',
          include: [...mocking, 'test/{clients,docs,faults,integration,package}/**/*.test.ts'],
        },
      },
    ],
  },
});
export default config;
