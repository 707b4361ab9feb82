/** The table `[master]` of the first file → the part of the plan that is about the master. */
import { basename, dirname, resolve } from 'node:path';
import { isProgramName } from '../../../shared/program-name.ts';
import {
  type MetricsOptions,
  type MetricsPlan,
  metricsPlan,
  metricsProblem,
} from '../options/metrics-options.ts';
import type { MasterPlan } from '../plan.ts';
import { masterSchema } from './config-keys.ts';
import { problemWithKey, type TableNode } from './document.ts';
import type { Reader, Report } from './read-tables.ts';

export function masterOf(
  root: TableNode | undefined,
  main: string,
  reader: Reader,
  report: Report,
): MasterPlan {
  const table = root?.entries.get('master')?.node;
  const { values } =
    table?.kind === 'table'
      ? reader.read(table, masterSchema, { program: null })
      : { values: {} as Record<string, unknown> };
  return {
    name: typeof values['name'] === 'string' ? values['name'] : nameOf(main),
    hasControl: values['control'] !== false,
    remembers: values['remember'] === true,
    metrics: table?.kind === 'table' ? metricsIn(table, values, report) : null,
    file: main,
    logLevel: (values['log_level'] ?? null) as MasterPlan['logLevel'],
    logFormat: (values['log_format'] ?? null) as MasterPlan['logFormat'],
  };
}

/** The metrics of the master; null if there are none, or if their keys are wrong. */
function metricsIn(
  table: TableNode,
  values: Readonly<Record<string, unknown>>,
  report: Report,
): MetricsPlan | null {
  const given = {
    address: values['metrics'],
    token: values['metrics_token'],
    cert: values['metrics_cert'],
    key: values['metrics_key'],
  };
  const problem = metricsProblem(given);
  if (problem !== null) report(problemWithKey(table, `metrics_${problem.key}`, problem.message));
  if (problem !== null || typeof given.address !== 'string') return null;
  // Checked by the schema.
  return metricsPlan(given as MetricsOptions, (path) => resolve(table.source.folder, path));
}

/** The name of a master with this config file: the file's name without its ending or, for `graceful.toml`, the name of its folder. */
export function nameOf(file: string): string {
  const stem = basename(file).replace(/\.[^.]+$/, '');
  const name = (stem === 'graceful' ? basename(dirname(file)) : stem)
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[.-]+/, '')
    .slice(0, 64);
  return isProgramName(name) ? name : 'graceful';
}
