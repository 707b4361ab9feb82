/** Turns a command into jobs: one for each program, or each master, that it names. */
import type { Request } from '../command-line.ts';
import type { ExitCode } from '../ctl-exit-codes.ts';
import { chooseMasters, choosePrograms } from '../masters/choose.ts';
import type { AnsweringMaster } from '../masters/listed-masters.ts';
import type { FoundProgram } from '../masters/select-programs.ts';
import type { Selection } from '../masters/selection.ts';
import type { Terminal } from '../output-streams.ts';
import { carryOut, type Job, type Work } from './carry-out.ts';
import type { Watched } from './progress.ts';
import type { Achieved, ActingCommand } from './command-report.ts';

interface Command {
  readonly kind: ActingCommand;
  readonly json: boolean;
}

/** Carries out a command for programs. `waits`: it may take long, and a terminal shows what happens meanwhile. */
export function forPrograms(
  request: Request,
  command: Command,
  waits: boolean,
  terminal: Terminal,
  action: (program: FoundProgram) => Promise<Achieved>,
): Promise<ExitCode> {
  const { words } = request.wanted;
  const nothing = { master: null, program: words.join(' ') || null };
  return carryOut(command, terminal, nothing, async () => {
    const { found, missing } = await choosePrograms(request, 'one');
    const jobs = found.map((program) => ({
      subject: { master: program.master.name, program: program.status.program },
      label: program.label,
      isOneOfSeveral: program.master.programs.length > 1,
      run: () => action(program),
    }));
    const unknown = missing.map(({ word, error }) => failing({ master: null, program: word }, word, error));
    return { jobs: [...jobs, ...unknown], waits, watched: waits ? watchedIn(found) : [] };
  });
}

/** Carries out a command for whole masters, like forPrograms(). For an update, only masters with a config file count. */
export function forMasters(
  request: Request,
  command: Command,
  waits: boolean,
  terminal: Terminal,
  action: (master: AnsweringMaster) => Promise<Achieved>,
): Promise<ExitCode> {
  const { words } = request.wanted;
  const nothing = { master: words.join(' ') || null, program: null };
  const isEligible = ({ master }: AnsweringMaster): boolean =>
    command.kind !== 'update' || master.file !== null;
  return carryOut(command, terminal, nothing, async (): Promise<Work> => {
    const { found, missing } = await chooseMasters(request, isEligible);
    const jobs = found.map((master) => ({
      subject: { master: master.name, program: null },
      label: master.name,
      run: () => action(master),
    }));
    const unknown = missing.map(({ word, error }) => failing({ master: word, program: null }, word, error));
    const watched = found.map((master) => ({ master, programs: null }));
    return { jobs: [...jobs, ...unknown], waits, watched: waits ? watched : [] };
  });
}

/** A job for a word that names nothing: it fails as a program does, and the other jobs are done all the same. */
function failing(
  subject: Job['subject'],
  label: string,
  error: Selection<never>['missing'][number]['error'],
): Job {
  return { subject, label, run: () => Promise.reject(error) };
}

function watchedIn(programs: readonly FoundProgram[]): readonly Watched[] {
  return [...new Set(programs.map(({ master }) => master))].map((master) => ({
    master,
    programs: programs.filter((one) => one.master === master).map(({ status }) => status.program),
  }));
}
