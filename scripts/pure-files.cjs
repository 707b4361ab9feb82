// Files that decide and do nothing else: no node:*, no clock, no timer. Regular expressions of their paths.
exports.pureFiles = [
  '^src/master/program/lifecycle/',
  '^src/master/program/(describe-status|history/history)\\.ts$',
  '^src/master/check/(finding|report)\\.ts$',
  '^src/master/config/(check-plan|difference|launch-options|listen-address|meant-value|option-errors|output-options|plan|plan-names|restart-options|tcp-options|value-schemas|wrong-placeholders)\\.ts$',
  '^src/master/cli/complete\\.ts$',
  '^src/master/output/(escape-worker-line|format-lines|log-queue)\\.ts$',
  '^src/master/sockets/(address-errors|announced-sockets|sockaddr|tcp-table)\\.ts$',
  '^src/master/process/notify-message\\.ts$',
  '^src/master/programs/start-order\\.ts$',
  '^src/master/config/files/(document|expand|foreign-keys)\\.ts$',
  '^src/master/watch/(debounce|fingerprint|ignore|path-route|watch-problems)\\.ts$',
  '^src/master/launch/(drain-signals|interpreters|node-launch|package-commands|process-wrappers|shebang|split-words|trampoline|worker-environment|worker-kind)\\.ts$',
  '^src/worker/channel/read-message\\.ts$',
  '^src/worker/listen/(addresses|binding|listen-call|placement|readiness)\\.ts$',
  '^src/ctl/(command-table|complete|masters/(name-patterns|selection)|show/(columns|describe-update|last-problem|programs-table|table-layout))\\.ts$',
  '^src/shared/(completion|counts|describe-event|describe-failure|describe-problem|describe-release|durations|error-line|errors|events|format-address|line-splitter|narrate-events|byte-sizes|nearest|protocol)\\.ts$',
];
