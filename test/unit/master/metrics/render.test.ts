import { expect, test } from 'vitest';
import { renderFamilies } from '../../../../src/master/metrics/render.ts';

test('a family is its help, its type and a line for each value; one without a value is left out', () => {
  const text = renderFamilies([
    {
      name: 'a_total',
      type: 'counter',
      help: 'What a \\ is.\nSecond line.',
      values: [
        { labels: { program: 'a"b\\c\nd', result: 'ok' }, value: 3 },
        { labels: {}, value: 0.25 },
      ],
    },
    { name: 'b', type: 'gauge', help: 'Nothing.', values: [] },
  ]);
  expect(text).toBe(
    [
      '# HELP a_total What a \\\\ is.\\nSecond line.',
      '# TYPE a_total counter',
      'a_total{program="a\\"b\\\\c\\nd",result="ok"} 3',
      'a_total 0.25',
      '',
    ].join('\n'),
  );
});

test('the last bucket of a histogram has no upper bound', () => {
  const values = [{ labels: { le: '+Inf' }, value: 2, metricName: 'c_seconds_bucket' }];
  expect(renderFamilies([{ name: 'c_seconds', type: 'histogram', help: 'C.', values }])).toContain(
    'c_seconds_bucket{le="+Inf"} 2\n',
  );
});
