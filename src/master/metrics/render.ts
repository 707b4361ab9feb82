/** Writes metrics as text in the exposition format of Prometheus, version 0.0.4. Loaded only when /metrics is requested. */
import { readAllProcesses } from '../../shared/process-stat.ts';
import { familiesOf, type Family, type Sample, type Scrape } from './families.ts';

/** Renders all metrics. The processes of the machine are read at each call. */
export function renderMetrics(scrape: Omit<Scrape, 'processes'>): string {
  return renderFamilies(familiesOf({ ...scrape, processes: readAllProcesses() }));
}

/** Renders metrics. One without a value is left out. */
export function renderFamilies(families: readonly Family[]): string {
  return families
    .filter(({ values }) => values.length > 0)
    .flatMap(({ name, type, help, values }) => [
      `# HELP ${name} ${escape(help)}`,
      `# TYPE ${name} ${type}`,
      ...values.map((sample) => renderSample(name, sample)),
    ])
    .map((line) => `${line}\n`)
    .join('');
}

function renderSample(name: string, { metricName = name, labels, value }: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  return `${metricName}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`;
}

function escape(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function escapeLabel(text: string): string {
  return escape(text).replaceAll('"', '\\"');
}
