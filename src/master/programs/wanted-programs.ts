/**
 * Which programs operators want to run. A request is stored, so that the next master of this name starts with what was wanted last: with `remember`, it
 * always does; otherwise only if this master was killed, and the machine has been running since. The end of the master is no such request.
 */
import type { UpdateResult } from '../../shared/control-api.ts';
import type { MasterEvent } from '../../shared/events.ts';
import type { ProgramSet } from './program-set.ts';
import type { Remembered } from './remembered.ts';

export interface WantedProgramsParts {
  readonly set: ProgramSet;
  /** The file in which requests are kept. `survivesEnd`: also beyond the regular end of the master. Null for nowhere. */
  readonly file: () => { readonly path: string; readonly survivesEnd: boolean } | null;
  /** Whether the master was told to stop. */
  readonly isStopping: () => boolean;
  readonly publish: (event: MasterEvent) => void;
}

export interface WantedPrograms {
  /** Reads what the previous master has stored, and stores requests from now on. Never rejects: a problem is reported as an event. */
  open(): Promise<void>;
  /** Whether the program is to run: as an operator wanted it last, or else as `otherwise` says. */
  isWanted(program: string, otherwise: boolean): boolean;
  /** Has to be called before a request starts the program. */
  startRequested(program: string): void;
  /** Stores which programs are wanted now. Never rejects. */
  keep(): Promise<void>;
  /** Stores which programs are wanted after an update, which may have started programs that a request had stopped. */
  keepUpdated(update: UpdateResult): Promise<void>;
  /** Has to be called at the regular end of the master. */
  close(): Promise<void>;
  /** The programs that keep running although their `autostart` has become false. */
  runningOn(): readonly string[];
  /** Takes over those programs from the previous image of this process. */
  resume(programs: readonly string[]): void;
}

export function createWantedPrograms({
  set,
  file,
  isStopping,
  publish,
}: WantedProgramsParts): WantedPrograms {
  let remembered: Remembered | null = null;
  /** Programs that keep running although their `autostart` has become false. No request has started them, so they are not remembered as wanted. */
  const runningOn = new Set<string>();

  async function keep(): Promise<void> {
    if (remembered === null || isStopping()) return;
    const asked = set.all().filter(({ program }) => !runningOn.has(program.name()));
    await remembered.keep(
      asked.map(({ program, isWanted }) => ({
        name: program.name(),
        isWanted,
        autostart: program.plan().autostart,
      })),
    );
  }

  return {
    async open() {
      const place = file();
      if (place === null) return;
      // Loaded only if it is needed.
      const { openRemembered } = await import('./remembered.ts');
      remembered = await openRemembered(place.path, publish);
    },
    async close() {
      if (file()?.survivesEnd === false) await remembered?.remove();
    },
    isWanted: (program, otherwise) => remembered?.isWanted(program, otherwise) ?? otherwise,
    startRequested(program) {
      runningOn.delete(program);
    },
    keep,
    async keepUpdated({ difference: { changed, removed } }) {
      for (const { program, later } of changed.filter(({ keys }) => keys.includes('autostart')))
        if (later.includes('autostart') && set.find(program).isWanted) runningOn.add(program);
        else runningOn.delete(program);
      for (const program of removed) runningOn.delete(program);
      await keep();
    },
    runningOn: () => [...runningOn],
    resume(programs) {
      for (const program of programs) runningOn.add(program);
    },
  };
}
