/** The table of docs/metrics.md, from the metrics themselves. */
import { familiesOf } from '../src/master/metrics/families.ts';
import { exampleScrape } from '../test/helpers/example-scrape.ts';

export function metricsTable(): string {
  const rows = familiesOf(exampleScrape()).map(({ name, type, help, values }) => {
    const labels = new Set(
      values.flatMap(({ labels: own }) => Object.keys(own)).filter((label) => label !== 'le'),
    );
    return `| \`${name}\` | ${type} | ${[...labels].map((label) => `\`${label}\``).join(', ')} | ${help} |`;
  });
  return ['', '| name | type | labels | meaning |', '| --- | --- | --- | --- |', ...rows, ''].join('\n');
}
