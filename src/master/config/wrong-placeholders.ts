/** Checks the placeholders in the command of a program, and in its variables, against its listeners. Pure. */
import { placeholderFaults, type PlaceholderFault } from '../launch/placeholders.ts';
import type { ProgramPlan } from './plan.ts';

export interface WrongPlaceholder extends PlaceholderFault {
  readonly key: 'command' | 'environment';
  /** The index of the command's word, or the name of the variable. */
  readonly item: number | string;
}

export function wrongPlaceholders({
  command,
  environment,
  listeners,
  kind,
}: Pick<ProgramPlan, 'command' | 'environment' | 'listeners'> & {
  readonly kind: Pick<ProgramPlan['kind'], 'type'>;
}): readonly WrongPlaceholder[] {
  // Without any listener, the missing listener is what is reported.
  if (listeners.length === 0 && kind.type === 'server') return [];
  const texts = [
    ...command.map((text, item) => ({ key: 'command' as const, item, text })),
    ...Object.entries(environment).map(([item, text]) => ({ key: 'environment' as const, item, text })),
  ];
  return texts.flatMap(({ key, item, text }) =>
    placeholderFaults(text, listeners).map((fault) => ({ key, item, ...fault })),
  );
}
