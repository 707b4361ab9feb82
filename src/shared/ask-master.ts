/** Sends a request to the master, and turns every way of not getting an answer into one clear error. */
import { askControl, type ControlAnswer, type ControlRequest, type NoWholeAnswer } from './control-client.ts';
import { formatDuration } from './durations.ts';
import { type ErrorCode, errorCodes, GracefulRunError, messageOf } from './errors.ts';
import { readError } from './schemas/answer-schemas.ts';

/** How long a master may take over a request that it can answer at once. */
export const promptMs = 5_000;

/** Returns the answer, if it has one of the statuses and is not an error. @throws GracefulRunError otherwise; `action` says what could not be done. */
export async function ask(
  action: string,
  request: ControlRequest,
  statuses: readonly number[],
): Promise<ControlAnswer> {
  const exchange = await askControl(request);
  if ('noAnswer' in exchange) throw unanswered(action, exchange);
  const { answer } = exchange;
  // A status may mean that an operation failed, or that it was refused, so the body decides.
  if (!statuses.includes(answer.status) || readError(answer.body) !== null) throw refused(action, answer);
  return answer;
}

/** The error for a stream that broke off after it had begun. A master that stops ends its streams first. */
export function cutOff(action: string, gap: NoWholeAnswer): GracefulRunError {
  if (gap.noAnswer !== 'brokenOff') return unanswered(action, gap);
  return new GracefulRunError(
    'masterUnreachable',
    `cannot ${action} any longer: the connection was closed (${messageOf(gap.cause)})`,
    {
      hint: 'the master has ended or was killed; see whether it runs: gracefulctl list',
      cause: gap.cause,
    },
  );
}

/** The error for an exchange without a complete answer. */
export function unanswered(action: string, gap: NoWholeAnswer): GracefulRunError {
  const { cause } = gap;
  switch (gap.noAnswer) {
    case 'absent':
      return new GracefulRunError('masterNotFound', `cannot ${action}: the master has just exited`, {
        cause,
      });
    case 'forbidden':
      return new GracefulRunError(
        'masterUnreachable',
        `cannot ${action}: this user may not open the control socket`,
        {
          hint: 'run the command as the user that runs graceful-run',
          cause,
        },
      );
    case 'timedOut':
      return new GracefulRunError(
        'masterUnreachable',
        `cannot ${action}: no answer within ${formatDuration(promptMs)}`,
        {
          hint: 'see whether the master is suspended (state T in ps) or gets no CPU time',
          cause,
        },
      );
    case 'brokenOff':
      return new GracefulRunError(
        'masterUnreachable',
        `cannot ${action}: the connection was closed (${messageOf(cause)})`,
        {
          hint: 'the master exited or was too busy: see its log',
          cause,
        },
      );
  }
}

/** The error for an answer that refuses. */
export function refused(action: string, answer: ControlAnswer): GracefulRunError {
  const error = readError(answer.body);
  if (error === null) {
    return new GracefulRunError(
      'masterUnreachable',
      `cannot ${action}: the master answered with status ${answer.status}`,
    );
  }
  const message = error.message.startsWith('cannot ') ? error.message : `cannot ${action}: ${error.message}`;
  const { hint, problems = [] } = error;
  return new GracefulRunError(codeOf(error.code), message, { ...(hint === null ? {} : { hint }), problems });
}

function codeOf(code: string): ErrorCode {
  return errorCodes.find((known) => known === code) ?? 'controlRequestRejected';
}
