#!/usr/bin/env node
'use strict';

require('../dist/master/main.cjs').main(process.argv.slice(2));
