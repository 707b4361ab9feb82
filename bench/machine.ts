/** Describes the machine of a run. */
import { cpus, release, type } from 'node:os';
import type { Machine } from './results.ts';

export function describeMachine(): Machine {
  const cores = cpus();
  return {
    cores: cores.length,
    cpu: cores[0]?.model ?? 'unknown CPU',
    kernel: `${type()} ${release()}`,
    node: process.versions.node,
    date: new Date().toISOString().slice(0, 10),
  };
}
