import { describe, expect, test } from 'vitest';
import type { GracefulRunError } from '../../../../src/shared/errors.ts';
import {
  programList,
  readAnswer,
  readError,
  status,
  updateResult,
} from '../../../../src/shared/schemas/answer-schemas.ts';
import { exampleAnswers } from '../../../helpers/example-answers.ts';

const { Status: example } = exampleAnswers;

describe('an answer that comes over the wire', () => {
  test.each([
    ['a status', status, exampleAnswers.Status],
    ['a list of programs', programList, exampleAnswers.ProgramList],
    ['the result of an update', updateResult, exampleAnswers.UpdateResult],
  ] as const)('%s is read as it was sent', (_what, shape, sent) => {
    expect(readAnswer<unknown>(shape, JSON.stringify(sent))).toEqual(sent);
  });

  test('a field that this version does not know is left out', () => {
    expect(readAnswer(status, JSON.stringify({ ...example, moon: 'full' }))).toEqual(example);
  });

  test('what a master of an earlier version does not send has its default', () => {
    const { pid, version, uptimeMs } = example.master;
    const older = {
      ...example,
      isWanted: undefined,
      waitsFor: undefined,
      master: { pid, version, uptimeMs },
    };
    expect(readAnswer(status, JSON.stringify(older))).toEqual({
      ...example,
      isWanted: true,
      waitsFor: [],
      master: {
        name: '',
        pid,
        version,
        uptimeMs,
        isStopping: false,
        logId: null,
        file: null,
        upgrades: 0,
        node: '',
      },
    });
  });

  test.each(['', '<html>', 'null', '{}', JSON.stringify({ ...example, generation: '3' })])(
    '%s is no status, and masterUnreachable',
    (body) => {
      expect(() => readAnswer(status, body)).toThrow(
        expect.objectContaining({ code: 'masterUnreachable' } satisfies Partial<GracefulRunError>),
      );
    },
  );
});

describe('an error that the master answers with', () => {
  const plain = { code: 'masterStopped', message: 'cannot reload: the master stops', hint: null };

  test('is read with the problems of a plan where it has any', () => {
    expect(readError(JSON.stringify({ error: plain }))).toEqual(plain);
    const { error } = exampleAnswers.ErrorAnswer;
    expect(error.problems).not.toEqual([]);
    expect(readError(JSON.stringify({ error }))).toEqual(error);
  });

  test.each(['', '502 Bad Gateway', '{"error":"oops"}', '{"error":{"code":1}}'])('%j is none', (body) => {
    expect(readError(body)).toBe(null);
  });
});
