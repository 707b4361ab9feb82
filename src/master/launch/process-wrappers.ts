/**
 * What gives a worker's process its user, limits and priorities: the programs of the machine that are made for that, each of which sets one thing and
 * then becomes the next one by exec, with the same pid and descriptors. Pure.
 */
import type { ProcessPlan } from '../config/options/launch-options.ts';

export interface Account {
  readonly uid: number;
  readonly gid: number;
  /** Null: it has no entry in passwd(5), so it has no supplementary groups. */
  readonly entry: {
    readonly name: string;
    readonly home: string;
    readonly shell: string;
  } | null;
}

/** One of the programs, with the words before the command that it becomes. */
export interface Wrapper {
  readonly tool: 'choom' | 'nice' | 'prlimit' | 'taskset' | 'setpriv';
  /** The option that asks for it. */
  readonly option: 'oomScoreAdj' | 'nice' | 'limits' | 'cpuAffinity' | 'user' | 'noNewPrivileges';
  readonly words: readonly string[];
}

/** In which order they run: what needs the master's privileges before they are given up. */
export function wrappersOf(
  { nice, limits, noNewPrivileges, cpuAffinity, oomScoreAdj }: ProcessPlan,
  {
    account,
    niceness,
  }: {
    /** Null: the user stays the same. */
    readonly account: Account | null;
    /** The master's nice value. */
    readonly niceness: number;
  },
): readonly Wrapper[] {
  const limitWords = Object.entries(limits).map(([name, value]) => `--${name}=${limitOf(value)}`);
  const privileges = [
    ...(account === null ? [] : identityWords(account)),
    ...(noNewPrivileges ? ['--no-new-privs'] : []),
  ];
  const all: readonly (Wrapper | null)[] = [
    oomScoreAdj === null
      ? null
      : { tool: 'choom', option: 'oomScoreAdj', words: ['-n', String(oomScoreAdj), '--'] },
    // nice(1) adds to what it has.
    nice === null || nice === niceness
      ? null
      : { tool: 'nice', option: 'nice', words: ['-n', String(nice - niceness), '--'] },
    limitWords.length === 0 ? null : { tool: 'prlimit', option: 'limits', words: [...limitWords, '--'] },
    cpuAffinity === null
      ? null
      : { tool: 'taskset', option: 'cpuAffinity', words: ['--cpu-list', cpuAffinity] },
    privileges.length === 0
      ? null
      : {
          tool: 'setpriv',
          option: account === null ? 'noNewPrivileges' : 'user',
          words: [...privileges, '--'],
        },
  ];
  return all.filter((one) => one !== null);
}

/** A single number is both limits. */
function limitOf(value: string): string {
  return value.includes(':') ? value : `${value}:${value}`;
}

function identityWords({ uid, gid, entry }: Account): readonly string[] {
  return [`--reuid=${uid}`, `--regid=${gid}`, entry === null ? '--clear-groups' : '--init-groups'];
}

/** What a login sets, as systemd does for a service with a user. */
export function accountVariables({ entry }: Account): Readonly<Record<string, string>> {
  return entry === null
    ? {}
    : { HOME: entry.home, SHELL: entry.shell, USER: entry.name, LOGNAME: entry.name };
}
