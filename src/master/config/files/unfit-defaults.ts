/** Keys that a program cannot have: its own are problems, and those of `[defaults]` are left out, unless no program can have them. */
import type { CheckedProgram } from '../check-plan.ts';
import { inapplicableOptions, type JudgedOptions } from '../options/inapplicable-options.ts';
import { keyOfOption, optionOfKey } from '../options/option-names.ts';
import { type PlanNode, problemWith, type TableNode } from './document.ts';
import type { NamedTable } from './named-tables.ts';
import { optionsOf } from './options-of-keys.ts';
import type { Report } from './read-tables.ts';

export interface UnfitDefault {
  readonly key: string;
  readonly node: PlanNode;
  readonly message: string;
  readonly hint: string;
}

interface InapplicableKey {
  readonly key: string;
  readonly message: string;
  readonly hint: string;
}

/** Keys that the program cannot have, or that do not go together, as far as its valid values show that: its own keys, and those of `[defaults]`. */
export function inapplicableKeys(
  { table, entry }: NamedTable,
  values: Readonly<Record<string, unknown>>,
  listeners: CheckedProgram['listeners'],
): { readonly own: readonly InapplicableKey[]; readonly unfit: readonly UnfitDefault[] } {
  const ownNodes = new Set(
    entry.node.kind === 'table' ? [...entry.node.entries.values()].map(({ node }) => node) : [],
  );
  const wrong = [...table.entries.keys()].filter((key) => values[key] === undefined);
  const hasListeners = values['type'] === undefined || values['type'] === 'server';
  const unknown = wrong.map(optionOfKey);
  if (wrong.includes('type') || (hasListeners && listeners === null)) unknown.push('listeners');
  const unfit: UnfitDefault[] = [];
  for (;;) {
    const fitting = without(
      values,
      unfit.map(({ key }) => key),
    );
    const { port, host, listen } = fitting;
    const options = {
      ...optionsOf(table, fitting, []),
      port,
      host,
      listen,
      listeners: hasListeners ? (listeners ?? []) : [],
    };
    const found = inapplicableOptions(options as JudgedOptions, unknown).map((one) => {
      const key = keyOfOption(one.option);
      return { key, message: one.message, hint: one.hint, node: table.entries.get(key)?.node };
    });
    // A key of [defaults] is only for the programs that can have it. Once it is left out, other keys may have no effect.
    const foreign = found.flatMap(({ node, ...one }) =>
      node === undefined || ownNodes.has(node) ? [] : [{ ...one, node }],
    );
    if (foreign.length === 0) return { own: found, unfit };
    unfit.push(...foreign);
  }
}

/** Reports values of `[defaults]` that not one of the programs that they are for can have. */
export function reportUselessDefaults(
  programs: readonly { readonly table: TableNode; readonly unfit: readonly UnfitDefault[] }[],
  report: Report,
): void {
  const has = ({ table }: { readonly table: TableNode }, { key, node }: UnfitDefault): boolean =>
    table.entries.get(key)?.node === node;
  for (const one of programs.flatMap(({ unfit }) => unfit)) {
    const isOfUse = programs.some(
      (program) => has(program, one) && !program.unfit.some(({ node }) => node === one.node),
    );
    if (!isOfUse) report(problemWith(one.node, one.message, one.hint));
  }
}

export function without(
  values: Readonly<Record<string, unknown>>,
  keys: readonly string[],
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(values).filter(([key]) => !keys.includes(key)));
}
