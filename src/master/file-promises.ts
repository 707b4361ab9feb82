/**
 * The functions of node:fs that a master may need at any time, with promises. node:fs/promises has them too, but also loads readline with its history: 0.5
 * MB of the master's memory on Node.js 26.
 */
import {
  mkdir as mkdirOf,
  readFile as readFileOf,
  rename as renameOf,
  rm as rmOf,
  writeFile as writeFileOf,
} from 'node:fs';
import { promisify } from 'node:util';

export const mkdir: typeof mkdirOf.__promisify__ = promisify(mkdirOf);
export const readFile: typeof readFileOf.__promisify__ = promisify(readFileOf);
export const rename: typeof renameOf.__promisify__ = promisify(renameOf);
export const writeFile: typeof writeFileOf.__promisify__ = promisify(writeFileOf);
export const rm: typeof rmOf.__promisify__ = promisify(rmOf);
