#!/usr/bin/env node
'use strict';

// Until the master listens for it, a request to reload must not end it; what it would load is loaded anyway.
process.on('SIGHUP', () => {});
require('../dist/master/main.cjs').main(process.argv.slice(2));
