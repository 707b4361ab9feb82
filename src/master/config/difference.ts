/** How one plan differs from another, and the least that has to be done about it. Pure. */
import type { PlanDifference, ProgramChange } from '../../shared/control-api.ts';
import { masterKeys, programKeys } from './compared-keys.ts';
import type { ListenerPlan, MasterPlan, Plan, ProgramPlan } from './plan.ts';
import { isSame } from './same-data.ts';
import { isWideIPv6Only } from './options/tcp-options.ts';

export function comparePlans(before: Plan, after: Plan): PlanDifference {
  const old = new Map(before.programs.map((program) => [program.name, program]));
  const names = new Set(after.programs.map(({ name }) => name));
  const going = goingListeners(before, after);
  return {
    added: after.programs.flatMap(({ name }) => (name === null || old.has(name) ? [] : [name])),
    removed: before.programs.flatMap(({ name }) => (name === null || names.has(name) ? [] : [name])),
    changed: after.programs.flatMap((program) => {
      const known = old.get(program.name);
      return known === undefined ? [] : (comparePrograms(known, program, going) ?? []);
    }),
    master: changedMasterKeys(before.master, after.master),
  };
}

export function isEmpty({ added, removed, changed }: PlanDifference): boolean {
  return added.length + removed.length + changed.length === 0;
}

/** What changes for a program, or null if its plans are the same. `going`: listeners that any program gives up. */
function comparePrograms(
  before: ProgramPlan,
  after: ProgramPlan,
  going: readonly ListenerPlan[],
): ProgramChange | null {
  const changed = programKeys.filter(({ of }) => !isSame(of(before), of(after)));
  if (changed.length === 0) return null;
  const keys = changed.filter(({ follows }) => follows?.(before, after) !== true);
  const coming = after.listeners.filter((one) => !isDeclared(one, before.listeners));
  const isOneshot = before.kind.type === 'oneshot' && after.kind.type === 'oneshot';
  const isReloaded = changed.some(
    ({ isForNewWorkers, isForItsWork = true }) => isForNewWorkers && (isForItsWork || !isOneshot),
  );
  const needs =
    areExcluded(coming, going) || (isReloaded && isEnded(before, after))
      ? 'restart'
      : isReloaded && after.schedule === null
        ? 'reload'
        : 'nothing';
  return {
    program: after.name ?? '',
    keys: keys.map(({ key }) => key),
    needs,
    // An update does not stop it: the new value counts from the master's next start.
    later: before.autostart && !after.autostart ? ['autostart'] : [],
    runsAgain: needs !== 'nothing' && after.kind.type === 'oneshot' && after.schedule === null,
  };
}

/** Whether the old workers have to end before new ones start. A program that is scheduled before and after gets its changes with the next run. */
function isEnded(before: ProgramPlan, after: ProgramPlan): boolean {
  if ((before.schedule === null) !== (after.schedule === null)) return true;
  return after.schedule === null && !(before.kind.overlaps && after.kind.overlaps);
}

function changedMasterKeys(before: MasterPlan, after: MasterPlan): readonly string[] {
  return masterKeys.flatMap(({ key, of }) => (isSame(of(before), of(after)) ? [] : [key]));
}

/** The listeners that are given up: by programs that are removed, and by programs that keep running without them. */
export function goingListeners(before: Plan, after: Plan): readonly ListenerPlan[] {
  return before.programs.flatMap(({ name, listeners }) => {
    const kept = after.programs.find((program) => program.name === name)?.listeners ?? [];
    return listeners.filter((one) => !isDeclared(one, kept));
  });
}

/**
 * Whether one of the `coming` listeners cannot be bound while a `going` one is held: both have the same port, and one of the two is for every address. (A
 * listener with the same address is taken over instead. Host names may stand for any address.)
 */
export function areExcluded(coming: readonly ListenerPlan[], going: readonly ListenerPlan[]): boolean {
  return coming.some((one) =>
    going.some(
      (other) =>
        (one.type === 'tcp' || one.type === 'udp') &&
        other.type === one.type &&
        one.port !== 0 &&
        other.port === one.port &&
        (other.host !== one.host || isWideIPv6Only(other) !== isWideIPv6Only(one)) &&
        mayOverlap(one.host, other.host),
    ),
  );
}

/** Whether one of `listeners` has the same address. */
export function isDeclared(listener: ListenerPlan, listeners: readonly ListenerPlan[]): boolean {
  return listeners.some((one) => isSameAddress(one, listener));
}

/** Whether two listeners have the same address. Port 0 counts as the same address, although it stands for another port each time. */
export function isSameAddress(one: ListenerPlan, other: ListenerPlan): boolean {
  if (one.type === 'unix') return other.type === 'unix' && one.path === other.path;
  if (one.type === 'fd') return other.type === 'fd' && one.fd === other.fd;
  if (other.type !== one.type || isWideIPv6Only(one) !== isWideIPv6Only(other)) return false;
  return one.host === other.host && one.port === other.port;
}

/** Whether two hosts may stand for the same address. */
function mayOverlap(one: string | null, other: string | null): boolean {
  return isWide(one) || isWide(other) || isName(one) || isName(other);
}

function isWide(host: string | null): boolean {
  return host === null || host === '::' || host === '0.0.0.0';
}

function isName(host: string | null): boolean {
  return host !== null && !/^[\d.]+$/.test(host) && !host.includes(':');
}
