#!/usr/bin/env node
import { createRequire } from 'node:module';

createRequire(import.meta.url)('../dist/master/main.cjs').main(process.argv.slice(2));
