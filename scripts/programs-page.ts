/** The table of docs/programs.md: which signal makes which program drain. */
import { drainPresets, otherDrainSignal } from '../src/master/launch/program-drain-signal.ts';

export function drainSignalsTable(): string {
  const bySignal = new Map<string, string[]>();
  for (const [program, signal] of Object.entries(drainPresets))
    bySignal.set(signal, [...(bySignal.get(signal) ?? []), `\`${program}\``]);
  const others = bySignal.get(otherDrainSignal) ?? [];
  bySignal.set(otherDrainSignal, [...others, 'everything else']);
  const rows = [...bySignal].map(([signal, programs]) => `| ${signal} | ${programs.join(', ')} |`);
  return ['', '| signal | programs |', '| --- | --- |', ...rows, ''].join('\n');
}
