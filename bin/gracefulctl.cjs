#!/usr/bin/env node
'use strict';

require('../dist/ctl/main.cjs').main(process.argv.slice(2));
