// A real Prometheus scrapes a master, with the configuration of docs/metrics.md: only addresses, token, command and interval are the test's own.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { freePort, get } from '../helpers/plain-client.ts';
import { app, runMaster, temporaryFolder } from '../helpers/run-master.ts';
import { canRun } from '../helpers/required-programs.ts';

const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');

function example(name: string): string {
  const code = new RegExp(`<!-- test: ${name} -->\n\`\`\`\\w+\n([^]*?)\`\`\``).exec(page)?.[1];
  if (code === undefined) throw new Error(`docs/metrics.md has no example ${name}`);
  return code;
}

interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

async function query(port: number, expression: string): Promise<readonly Series[]> {
  const { body } = await get(port, `/api/v1/query?query=${encodeURIComponent(expression)}`);
  return (JSON.parse(body) as { readonly data: { readonly result: readonly Series[] } }).data.result;
}

test.runIf(canRun(['prometheus', 'promtool']))(
  'Prometheus scrapes what docs/metrics.md tells it to, and promtool has nothing to say about it',
  async () => {
    const folder = temporaryFolder();
    const [metricsPort, shopPort, ownPort] = [await freePort(), await freePort(), await freePort()];
    writeFileSync(
      join(folder, 'graceful.toml'),
      example('config')
        .replace('9100', String(metricsPort))
        .replace('3000', String(shopPort))
        .replace('["node", "server.js"]', JSON.stringify(app('serves'))),
    );
    const master = runMaster({
      hasOwnFlags: false,
      flags: ['-c', 'graceful.toml', '--log-format', 'json'],
      command: [],
      cwd: folder,
      env: { METRICS_TOKEN: 'the-token' },
    });
    await master.waitFor('generationReady', { generation: 1 });
    const text = spawnSync(
      'curl',
      ['--silent', '-H', 'Authorization: Bearer the-token', `http://127.0.0.1:${metricsPort}/metrics`],
      { encoding: 'utf8' },
    ).stdout;
    const checked = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    expect([checked.status, checked.stdout, checked.stderr]).toEqual([0, '', '']);

    const config = join(folder, 'prometheus.yml');
    writeFileSync(
      config,
      example('prometheus')
        .replace('9100', String(metricsPort))
        .replace('15s', '2s')
        .replace(/^/, 'global:\n  scrape_timeout: 2s\n'),
    );
    mkdirSync(join(folder, 'data'));
    const prometheus = spawn(
      'prometheus',
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${ownPort}`,
      ],
      { stdio: 'ignore' },
    );
    const ended = once(prometheus, 'exit');
    onTestFinished(async () => {
      prometheus.kill('SIGKILL');
      await ended;
    });
    const value = async (expression: string): Promise<number | null> => {
      const [series] = await query(ownPort, expression).catch(() => []);
      return series === undefined ? null : Number(series.value[1]);
    };
    // It looks for targets every 5 s.
    await eventually('it is scraped', async () => (await value('up{job="graceful-run"}')) === 1, 30_000);
    expect(await value('graceful_run_program_serving{program="shop"}')).toBe(1);
    await get(shopPort, '/');
    await eventually(
      'the request is seen',
      async () => ((await value('graceful_run_http_requests_total{program="shop"}')) ?? 0) >= 1,
      15_000,
    );
    master.signal('SIGHUP');
    await master.waitFor('generationSettled', { generation: 2 });
    await eventually(
      'the reload is seen',
      async () => (await value('graceful_run_reloads_total{program="shop",result="succeeded"}')) === 1,
      15_000,
    );
    const reloadTime = 'histogram_quantile(0.9, graceful_run_reload_duration_seconds_bucket{program="shop"})';
    expect(await value(reloadTime)).toBeGreaterThan(0);
    const types = JSON.parse((await get(ownPort, '/api/v1/metadata')).body) as {
      readonly data: Readonly<Record<string, readonly { readonly type: string }[]>>;
    };
    expect(types.data['graceful_run_reload_duration_seconds']?.[0]?.type).toBe('histogram');
    expect(types.data['process_cpu_time_seconds_total']?.[0]?.type).toBe('counter');
  },
  90_000,
);
