import { expect, test } from 'vitest';
import { GracefulRunError } from '../../../src/shared/errors.ts';
import { renderError } from '../../../src/shared/render-error.ts';

test('an error is one line, and one more with its hint', () => {
  const error = new GracefulRunError('addressInUse', 'cannot bind :80:\n  in use', {
    hint: 'stop the other',
  });
  expect(renderError(error, 'graceful-run')).toBe(
    'graceful-run: cannot bind :80: in use\n  hint: stop the other',
  );
  const bare = new GracefulRunError('startFailed', 'cannot start: no');
  expect(renderError(bare, 'graceful-run')).toBe('graceful-run: cannot start: no');
});

test.each([new TypeError('x is undefined'), 'a text', null])(
  'anything else is said to be our mistake, without a stack: %s',
  (thrown) => {
    const lines = renderError(thrown, 'gracefulctl').split('\n');
    expect(lines.length).toBe(2);
    expect(lines[0]).toMatch(/^gracefulctl: cannot /);
  },
);

test('a machine that has run out of something is not said to be our mistake', () => {
  const mistake = renderError(new TypeError('x is undefined'), 'graceful-run').split('\n')[1];
  const full = renderError(Object.assign(new Error('too many'), { code: 'EMFILE' }), 'graceful-run');
  expect(full.split('\n')[1]).not.toBe(mistake);
  expect(full.split('\n')).toHaveLength(2);
});
