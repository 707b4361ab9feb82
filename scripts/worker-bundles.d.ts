import type { BuildOptions } from 'esbuild';

export const workerBundles: readonly BuildOptions[];
