import { readdirSync, readFileSync } from 'node:fs';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

// Node.js reads these certificates at each start, which takes longer than the rest of its start, and there are thousands of starts here.
Reflect.deleteProperty(process.env, 'NODE_EXTRA_CA_CERTS');

/** Tests that replace a module or a variable of the environment, which they do for their whole process. */
const replacing = readdirSync(new URL('test/', import.meta.url), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.test.ts'))
  .map((path) => `test/${path}`)
  .filter((path) =>
    /\bvi\.(?:(?:do)?mock|stub\w+)\(/i.test(readFileSync(new URL(path, import.meta.url), 'utf8')),
  );

const config: ViteUserConfig = defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Most integration tests wait for processes, timers and signals: four files at a time are what two cores carry.
    maxWorkers: 4,
    // A process for each file would take longer to start than many a file takes.
    isolate: false,
    projects: [
      {
        extends: true,
        test: { name: 'shared', include: ['test/**/*.test.ts'], exclude: replacing },
      },
      {
        extends: true,
        test: { name: 'isolated', include: replacing, isolate: true },
      },
    ],
  },
});
export default config;
