// Which file may import which: no cycles, no process's code inside another's, and decisions that need nothing but their arguments.
const pure = [
  '^src/master/program/lifecycle/',
  '^src/master/watch/(debounce|fingerprint|ignore|path-route|watch-problems)\\.ts$',
  '^src/master/launch/(interpreters|node-launch|package-commands|shebang|split-words|trampoline|worker-environment)\\.ts$',
  '^src/worker/channel/read-message\\.ts$',
  '^src/worker/listen/(addresses|binding|listen-call|placement|readiness)\\.ts$',
  '^src/shared/(counts|describe-event|describe-failure|describe-release|durations|error-line|errors|events|format-address|line-splitter|narrate-events|printable|protocol)\\.ts$',
];

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
    alone('shared', 'master|worker|ctl'),
    alone('master', 'worker|ctl'),
    alone('worker', 'master|ctl'),
    alone('ctl', 'master|worker'),
    {
      name: 'worker-boots-without-a-validation-library',
      comment: 'It would cost every worker more than the rest of its boot (docs/adr/0002-bundles.md).',
      severity: 'error',
      from: { path: '^src/worker/' },
      to: { path: 'node_modules/zod' },
    },
    {
      name: 'decisions-are-pure',
      comment: 'No clock, no timer, no process: what they decide can be tested with plain values.',
      severity: 'error',
      from: { path: pure },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?path$' },
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
