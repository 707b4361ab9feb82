#!/usr/bin/env node
import { main } from '../dist/ctl/main.js';

await main(process.argv.slice(2));
