/** `gracefulctl status`: asks once and prints, one master in full or several in a list. */
import { routes, type Status } from '../shared/control-api.ts';
import { GracefulRunError } from '../shared/errors.ts';
import { readAnswer, status as statusShape } from '../shared/schemas/answer-schemas.ts';
import { ask, promptMs } from './ask-master.ts';
import { type ExitCode, exitCodeOf, exitCodes } from './ctl-exit-codes.ts';
import { findMaster, findMasters, type FoundMaster, type Search } from './find-master.ts';
import { renderMasters } from './master-list.ts';
import { isServed, renderStatus } from './status-table.ts';
import type { Terminal } from './output-streams.ts';

/**
 * Prints the status of the master called `name`; without a name, of the only one or, in short, of all. With `json`, the JSON that
 * each master answered with, one a line. @throws GracefulRunError masterNotFound, and masterUnreachable for a single master.
 */
export async function showStatus(
  name: string | null,
  search: Search,
  options: { readonly json: boolean },
  terminal: Terminal,
): Promise<ExitCode> {
  const living = name === null ? await findMasters(search) : [];
  if (living.length > 1) return listAll(living, options, terminal);
  const { status, body } = await statusOf(await findMaster(name, search));
  terminal.out(options.json ? body : renderStatus(status, Date.now(), terminal.styles));
  return codeOf(status);
}

/** A master that does not answer is listed as well, and decides the exit code. */
async function listAll(
  masters: readonly FoundMaster[],
  options: { readonly json: boolean },
  terminal: Terminal,
): Promise<ExitCode> {
  const listed = await Promise.all(masters.map(lookAt));
  if (options.json) {
    for (const { answer } of listed) if ('body' in answer) terminal.out(answer.body);
  } else terminal.out(renderMasters(listed, terminal.styles));
  for (const { answer } of listed)
    if ('problem' in answer && options.json) terminal.err(`gracefulctl: ${answer.problem}\n`);
  const codes = listed.map(({ answer }) => ('problem' in answer ? answer.code : codeOf(answer.status)));
  return codes.includes(exitCodes.failed)
    ? exitCodes.failed
    : (codes.find((code) => code !== exitCodes.done) ?? exitCodes.done);
}

async function lookAt(master: FoundMaster): Promise<{ readonly name: string; readonly answer: Answer }> {
  try {
    return { name: master.name, answer: await statusOf(master) };
  } catch (error) {
    if (!(error instanceof GracefulRunError)) throw error;
    return { name: master.name, answer: { problem: error.message, code: exitCodeOf(error) } };
  }
}

type Answer =
  { readonly status: Status; readonly body: string } | { readonly problem: string; readonly code: ExitCode };

async function statusOf(master: FoundMaster): Promise<{ readonly status: Status; readonly body: string }> {
  const request = { path: master.path, method: 'GET', route: routes.status, timeoutMs: promptMs } as const;
  const { body } = await ask('show the status', request, [200]);
  return { status: readAnswer(statusShape, body), body };
}

function codeOf(status: Status): ExitCode {
  return isServed(status) ? exitCodes.done : exitCodes.notRunning;
}
