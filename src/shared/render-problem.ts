/** How a problem of a plan is printed. Pure. */
import { relative } from 'node:path';
import type { PlanProblem } from './control-api.ts';
import { printable } from './printable.ts';

/**
 * One line, as compilers write it: `graceful.toml:3:8: program.shop.port: must be …, not "x" (hint)`. `folder`: files below it are
 * named relative to it.
 */
export function renderProblem(
  { file, line, column, key, message, hint }: PlanProblem,
  folder: string | null,
): string {
  const place = [file === null ? null : shorten(file, folder), line, column]
    .filter((part) => part !== null)
    .join(':');
  const text = [place, key ?? '', message].filter((part) => part !== '').join(': ');
  return printable(`${text}${hint === null ? '' : ` (${hint})`}`.replaceAll(/\s*[\r\n]\s*/g, ' '));
}

function shorten(file: string, folder: string | null): string {
  const path = folder === null ? file : relative(folder, file);
  return path === '' || path.startsWith('..') ? file : path;
}
