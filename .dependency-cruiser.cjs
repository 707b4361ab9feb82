// Which file may import which: no cycles, no process's code inside another's, and decisions that need nothing but their arguments.
// The list of pure files is in scripts/pure-files.cjs; oxlint.config.mjs keeps clocks and timers out of them.
const { pureFiles: pure } = require('./scripts/pure-files.cjs');

/** @param {string} folder @param {string} others */
const alone = (folder, others) => ({
  name: `${folder}-imports-shared-only`,
  comment: 'Code of different processes meets in src/shared only.',
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: { path: `^src/(${others})/` },
});

module.exports = {
  forbidden: [
    {
      name: 'no-import-cycle',
      comment: 'Files that need each other are one file, or both need a third.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    alone('shared', 'master|worker|ctl|client'),
    alone('master', 'worker|ctl|client'),
    alone('worker', 'master|ctl|client'),
    alone('ctl', 'master|worker|client'),
    alone('client', 'master|worker|ctl'),
    {
      name: 'worker-boots-without-a-validation-library',
      comment: 'It would cost every worker more than the rest of its boot (docs/adr/0002-bundles.md).',
      severity: 'error',
      from: { path: '^src/worker/' },
      to: { path: 'node_modules/zod', reachable: true },
    },
    {
      name: 'master-reads-no-answers',
      comment: 'It checks requests; the shapes of answers and events would only take its memory.',
      severity: 'error',
      from: { path: '^src/master/' },
      to: { path: '^src/shared/schemas/(answer|event)-schemas', reachable: true },
    },
    {
      name: 'master-loads-no-crypto',
      comment: 'It takes 2 MB: src/master/random-id.ts reads the device instead.',
      severity: 'error',
      from: { path: '^src/(master|shared)/' },
      to: { path: '^(node:)?crypto$' },
    },
    {
      name: 'the-master-parses-no-config-file',
      comment:
        'A process of its own does (docs/adr/0019-config-files.md): the parsers and the code of users stay out of the master.',
      severity: 'error',
      from: { path: '^src/master/', pathNot: '^src/master/config/(files/|read-plan-main\\.ts$)' },
      to: { path: '^src/master/config/files/' },
    },
    {
      name: 'decisions-are-pure',
      comment: 'No clock, no timer, no process: what they decide can be tested with plain values.',
      severity: 'error',
      // The numbers of the signals are constants of node:os.
      from: { path: pure, pathNot: '^src/master/programs/exit-code-of-program\\.ts$' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(path|buffer|util)$' },
    },
    {
      name: 'decisions-import-decisions',
      comment:
        'What they import is in the list of pure files too, and so on to the end: nothing impure is behind them. Types may come from anywhere.',
      severity: 'error',
      from: { path: pure },
      to: { path: '^src/', pathNot: pure, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'the-lifecycle-knows-no-shell',
      severity: 'error',
      from: { path: '^src/master/program/lifecycle/' },
      to: { path: '^src/', pathNot: '^src/(shared|master/program/lifecycle)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default'],
    },
  },
};
