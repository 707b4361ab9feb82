#!/usr/bin/env node
'use strict';

// Signals that arrive before the master listens for them must not end it.
const { argv } = process;
const isUpgraded = argv[2] !== undefined && argv[2].startsWith('--resume-from=');
const noted = [];
const note = (signal) => noted.push(signal);
// A new image of a master answers them late. Otherwise it is enough to survive a request to reload: what it would load is loaded anyway.
const names = isUpgraded
  ? ['SIGHUP', 'SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGTTIN', 'SIGTTOU']
  : ['SIGHUP'];
for (const name of names) process.on(name, note);
const takeNoted = () => {
  for (const name of names) process.removeListener(name, note);
  return isUpgraded ? noted : [];
};
require('../dist/master/main.cjs').main(argv.slice(2), takeNoted);
