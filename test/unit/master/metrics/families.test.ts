import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { familiesOf } from '../../../../src/master/metrics/families.ts';
import { exampleScrape } from '../../../helpers/example-scrape.ts';

const families = familiesOf(exampleScrape());
const series = new Set(
  families.flatMap(({ name, type }) =>
    type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  ),
);

test('every metric has a value in the example, and every counter the ending of one', () => {
  for (const { name, type, values } of families) {
    expect([name, values.length > 0]).toEqual([name, true]);
    expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter']);
  }
});

test('no metric has two values with the same labels', () => {
  for (const { name, values } of families) {
    const keys = values.map(({ labels, metricName = name }) => JSON.stringify([metricName, labels]));
    expect(new Set(keys).size).toBe(keys.length);
  }
});

test('the dashboard of Grafana asks for metrics that there are', () => {
  const text = readFileSync(new URL('../../../../examples/grafana-dashboard.json', import.meta.url), 'utf8');
  const queries: string[] = [];
  JSON.parse(text, (key, value: unknown) => {
    if (key === 'expr' && typeof value === 'string') queries.push(value);
    return value;
  });
  expect(queries.length).toBeGreaterThan(15);
  const asked = queries.flatMap((query) => query.match(/\b(?:graceful_run|process|nodejs|http)_\w+/g) ?? []);
  expect(asked.length).toBeGreaterThanOrEqual(queries.length);
  expect([...new Set(asked)].filter((name) => !series.has(name))).toEqual([]);
});
