#!/usr/bin/env node
import { main } from '../dist/master/cli/main.js';

await main(process.argv.slice(2));
