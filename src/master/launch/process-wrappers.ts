/**
 * The programs of the machine that give a worker's process its user, limits and priorities. Each of them sets one thing and then becomes the next one by
 * exec, with the same pid and descriptors. Pure.
 */
import type { ProcessPlan } from '../config/options/launch-options.ts';

export interface Account {
  readonly uid: number;
  readonly gid: number;
  /** The user's entry in passwd(5), or null if it has none, and so no supplementary groups. */
  readonly entry: {
    readonly name: string;
    readonly home: string;
    readonly shell: string;
  } | null;
}

/** One of these programs, with the words that come before the command that it becomes. */
export interface Wrapper {
  readonly tool: 'choom' | 'nice' | 'prlimit' | 'taskset' | 'setpriv';
  /** The option for which the program is needed. */
  readonly option: 'oomScoreAdj' | 'nice' | 'limits' | 'cpuAffinity' | 'user' | 'noNewPrivileges';
  readonly words: readonly string[];
}

/** The programs in the order in which they run: those that need the master's privileges come before the one that gives them up. */
export function wrappersOf(
  { nice, limits, noNewPrivileges, cpuAffinity, oomScoreAdj }: ProcessPlan,
  {
    account,
    niceness,
  }: {
    /** The user to become, or null if the user stays the same. */
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
    // nice(1) adds to the nice value of the master.
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

/** A single number is both the soft and the hard limit. */
function limitOf(value: string): string {
  return value.includes(':') ? value : `${value}:${value}`;
}

function identityWords({ uid, gid, entry }: Account): readonly string[] {
  return [`--reuid=${uid}`, `--regid=${gid}`, entry === null ? '--clear-groups' : '--init-groups'];
}

/** The variables that a login sets, as systemd sets them for a service with a user. */
export function accountVariables({ entry }: Account): Readonly<Record<string, string>> {
  return entry === null
    ? {}
    : { HOME: entry.home, SHELL: entry.shell, USER: entry.name, LOGNAME: entry.name };
}
