/** Reads the tables of config files: variables expanded, values checked against a schema, every problem reported. */
import type * as z from 'zod/mini';
import type { PlanProblem } from '../../../shared/control-api.ts';
import { meantValue } from '../options/meant-value.ts';
import { optionOfKey } from '../options/option-names.ts';
import { nodeAt, type PlanNode, problemWith, type TableNode } from './document.ts';
import { expand, refersToVariable } from './expand.ts';

export type Environment = Readonly<Record<string, string | undefined>>;
export type Report = (problem: PlanProblem) => void;

/** Reads tables: expanded, checked, with every problem reported. */
export interface Reader {
  /** The values by key; a key with a problem is left out. */
  read(
    table: TableNode,
    schema: z.ZodMiniType<Record<string, unknown>>,
    of: { readonly program: string | null },
  ): { readonly values: Readonly<Record<string, unknown>>; readonly isGood: boolean };
}

export function createReader(environment: Environment, report: Report): Reader {
  return {
    read(table, schema, { program }) {
      let isGood = true;
      const found = (problem: PlanProblem): undefined => {
        isGood = false;
        report(problem);
      };
      const plain = new Map<string, unknown>();
      for (const [key, { node }] of table.entries) {
        const broken: PlanProblem[] = [];
        const value = plainOf(node, (text, at) => {
          const references = { environment, here: at.source.folder, program, belongsTo: ownerOf(key) };
          const { text: expanded, faults } = expand(text, references);
          for (const { message, hint } of faults) broken.push(problemWith(at, message, hint));
          if (expanded.includes('\0'))
            broken.push(problemWith(at, 'has a NUL character, which no program can be given'));
          return expanded;
        });
        broken.forEach(found);
        if (broken.length === 0) plain.set(key, value);
      }
      const given = Object.fromEntries(plain);
      const parsed = schema.safeParse(given);
      const wrong = new Set<string>();
      for (const { path, message } of parsed.error?.issues ?? []) {
        wrong.add(String(path[0]));
        const node = nodeAt(table, path);
        const what = `must be ${message}${butIs(node, path[0] === 'environment')}`;
        found(problemWith(node, what, hintFor(String(path[0]), node)));
      }
      if (parsed.success) return { values: parsed.data, isGood };
      const right = Object.fromEntries([...plain].filter(([key]) => !wrong.has(key)));
      return { values: schema.safeParse(right).data ?? right, isGood };
    },
  };
}

function ownerOf(key: string): 'command' | 'logfile' | null {
  if (key === 'command' || key === 'environment') return 'command';
  return key === 'stdout_logfile' || key === 'stderr_logfile' ? 'logfile' : null;
}

function plainOf(node: PlanNode, text: (written: string, at: PlanNode) => string): unknown {
  switch (node.kind) {
    case 'scalar':
      return typeof node.value === 'string' ? text(node.value, node) : node.value;
    case 'other':
      // No schema accepts a symbol, so each one reports the value as wrong.
      return Symbol(node.what);
    case 'list':
      return node.items.map((item) => plainOf(item, text));
    case 'table':
      return Object.fromEntries([...node.entries].map(([key, entry]) => [key, plainOf(entry.node, text)]));
  }
}

function hintFor(key: string, node: PlanNode): string | null {
  // The value of a variable may be a secret, so it is not shown.
  if (node.kind !== 'scalar' || (typeof node.value === 'string' && refersToVariable(node.value))) return null;
  const option = optionOfKey(key);
  const meant = meantValue(option, node.value);
  return meant === null ? null : `did you mean ${JSON.stringify(meant)}?`;
}

/** Says which value was found instead, unless it comes from a variable of the environment, which may hold a secret. */
function butIs(node: PlanNode, isSecret: boolean): string {
  if (node.kind === 'scalar' && node.value === null) return ', but has no value';
  if (isSecret && node.kind === 'scalar') return '';
  return `, not ${shown(node)}`;
}

const maxShown = 60;

export function shown(node: PlanNode): string {
  switch (node.kind) {
    case 'scalar': {
      // JSON would write infinity as null.
      const text = typeof node.value === 'number' ? String(node.value) : JSON.stringify(node.value);
      const short = text.length > maxShown ? `${text.slice(0, maxShown)}…` : text;
      return typeof node.value === 'string' && refersToVariable(node.value)
        ? `what ${short} stands for`
        : short;
    }
    case 'other':
      return node.what;
    case 'list':
      return 'a list';
    case 'table':
      return 'a table';
  }
}
