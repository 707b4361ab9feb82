// The bundles of a worker: the preload, and beside it those that it opens by itself (src/worker/boot/bundle.ts). Tests build the same.

/** The options for esbuild that all bundles share: everything but the place of the output. */
const common = {
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  // With --require, Node.js loads the application's own entry exactly as it would without us.
  format: 'cjs',
  // Code that is compiled from a text cannot call import().
  supported: { 'dynamic-import': false },
  outExtension: { '.js': '.cjs' },
};

/** Options for esbuild, one for each build. */
export const workerBundles = [
  {
    ...common,
    entryPoints: {
      preload: 'src/worker/boot/preload.ts',
      'after-admission': 'src/worker/boot/after-admission.ts',
      health: 'src/worker/health/health-gate.ts',
      'separate-channel': 'src/worker/channel/separate-channel.ts',
      'refuse-to-listen': 'src/worker/launcher/refuse-to-listen.ts',
      'keep-files': 'src/worker/listen/keep-files.ts',
      'sibling-listeners': 'src/worker/listen/sibling-listeners.ts',
      datagrams: 'src/worker/listen/datagram-sockets.ts',
      'hang-locator': 'src/worker/health/hang-locator.ts',
    },
  },
  {
    ...common,
    entryPoints: { boot: 'src/worker/boot/boot.ts', heartbeat: 'src/worker/boot/heartbeat.ts' },
    // Each file is one function, which preload.ts compiles as it is read: to wrap it there, a worker would copy the whole text.
    banner: { js: '(function (require, __filename, __dirname, keepCode) {' },
    footer: { js: '})' },
  },
];
