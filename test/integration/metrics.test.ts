// What /metrics says of a master that runs, over its control socket and over TCP.
import { execFileSync } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { askControl } from '../../src/shared/control-client.ts';
import { metricsRoute } from '../../src/shared/control-api.ts';
import { eventually } from '../helpers/eventually.ts';
import { freePort, get } from '../helpers/plain-client.ts';
import { app, kill, runMaster, temporaryFolder, type RunningMaster } from '../helpers/run-master.ts';
import { Wire } from '../helpers/wire.ts';

type Metrics = ReadonlyMap<string, number>;

/** By the whole series, labels included. */
function parse(text: string): Metrics {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}

async function scrape(master: RunningMaster): Promise<Metrics> {
  const exchange = await askControl({
    path: master.controlSocket,
    method: 'GET',
    route: metricsRoute,
    timeoutMs: 5_000,
  });
  if ('noAnswer' in exchange) throw new Error(`no answer: ${exchange.noAnswer}`);
  return parse(exchange.answer.body);
}

/** Answers /bad with 503, and 200 to everything else. */
const server = [
  'node',
  '-e',
  `require('node:http').createServer((q, r) => { r.statusCode = q.url === '/bad' ? 503 : 200; r.end('x'); }).listen(Number(process.env.PORT))`,
];

test('requests and errors are counted over a reload, and never fall', async () => {
  const master = runMaster({ name: 'shop', command: server });
  const port = await master.serving();
  const served = 'graceful_run_http_requests_total{program="shop"}';
  const errors = 'graceful_run_http_errors_total{program="shop"}';
  // Errors are counted from a moment after the admission.
  await eventually('an error is counted', async () => {
    await get(port, '/bad');
    return ((await scrape(master)).get(errors) ?? 0) > 0;
  });
  const before = await scrape(master);
  await get(port, '/');
  await get(port, '/bad');
  const after = await scrape(master);
  expect(after.get(served)).toBe((before.get(served) ?? 0) + 2);
  expect(after.get(errors)).toBe((before.get(errors) ?? 0) + 1);
  await master.reload(2);
  await master.waitFor('workerExited', { generation: 1 });
  const reloaded = await scrape(master);
  expect(reloaded.get(served)).toBe(after.get(served));
  expect(reloaded.get(errors)).toBe(after.get(errors));
  expect(reloaded.get('graceful_run_reloads_total{program="shop",result="succeeded"}')).toBe(1);
  expect(reloaded.get('graceful_run_reload_duration_seconds_count{program="shop"}')).toBe(1);
  expect(reloaded.get('graceful_run_drain_duration_seconds_count{program="shop"}')).toBe(1);
  expect(reloaded.get('graceful_run_program_generation{program="shop"}')).toBe(2);
});

test('what has happened before the first scrape is counted, and so is the crash of a worker', async () => {
  const master = runMaster({ name: 'shop', command: server });
  await master.serving();
  await master.reload(2);
  await master.waitFor('workerExited', { generation: 1 });
  kill(await master.workerPid(2));
  await master.waitFor('workerFailed', { generation: 2 });
  await eventually(
    'it is replaced',
    () => master.all('workerReady', ({ generation }) => generation === 2).length === 2,
  );
  const metrics = await scrape(master);
  expect(metrics.get('graceful_run_starts_total{program="shop",result="succeeded"}')).toBe(1);
  expect(metrics.get('graceful_run_reloads_total{program="shop",result="succeeded"}')).toBe(1);
  expect(metrics.get('graceful_run_worker_failures_total{program="shop",reason="exited"}')).toBe(1);
  expect(metrics.get('graceful_run_worker_restarts_total{program="shop"}')).toBe(1);
});

/** How many workers are in each state, without the states of none. */
function workersOf(metrics: Metrics): Readonly<Record<string, number>> {
  const states = [...metrics].filter(([series]) => series.startsWith('graceful_run_workers{'));
  return Object.fromEntries(
    states
      .filter(([, count]) => count > 0)
      .map(([series, count]) => [/state="(\w+)"/.exec(series)?.[1] ?? series, count]),
  );
}

test('a reload with open connections: what has moved, ended and was cut, its workers by state, and their memory', async () => {
  const master = runMaster({ name: 'shop', command: app('serves'), flags: ['--drain-timeout', '4s'] });
  const port = await master.serving();
  const connections = (metrics: Metrics): readonly unknown[] =>
    ['migrated', 'drained', 'cut'].map((what) =>
      metrics.get(`graceful_run_connections_${what}_total{program="shop"}`),
    );
  expect(connections(await scrape(master))).toEqual([0, 0, 0]);
  expect(workersOf(await scrape(master))).toEqual({ ready: 1 });
  const wires = await Promise.all(Array.from({ length: 5 }, () => Wire.connect(port)));
  const [ends, isCut, ...idle] = wires;
  for (const wire of [ends, isCut]) {
    wire?.get('/held');
    await wire?.until('begun');
  }
  for (const wire of idle) {
    wire.get('/');
    await wire.until('}');
  }
  await master.reload(2);
  const pids = [await master.workerPid(1), await master.workerPid(2)];
  const during = await scrape(master);
  expect(workersOf(during)).toEqual({ ready: 1, draining: 1 });
  const memory = (metrics: Metrics, labels: string): number =>
    metrics.get(`process_memory_usage_bytes{${labels}}`) ?? 0;
  const ofWorker = (generation: number): string =>
    `role="worker",program="shop",generation="${generation}",slot="0",pid="${pids[generation - 1] ?? 0}"`;
  for (const generation of [1, 2]) {
    const bytes = memory(during, ofWorker(generation));
    expect(bytes).toBeGreaterThan(10 * 1024 * 1024);
    expect(bytes).toBeLessThan(1024 * 1024 * 1024);
  }
  ends?.socket.destroy();
  await master.waitFor('workerExited', { generation: 1 });
  const after = await scrape(master);
  expect(connections(after)).toEqual([3, 1, 1]);
  expect(workersOf(after)).toEqual({ ready: 1 });
  expect(after.get(`process_memory_usage_bytes{${ofWorker(1)}}`)).toBe(undefined);
  expect(memory(after, ofWorker(2))).toBeGreaterThan(0);
  for (const { socket } of wires) socket.destroy();
});

test('the event loop of a worker is measured from its first scrape on', async () => {
  const busy = `const until = Date.now() + 300; while (Date.now() < until);`;
  const master = runMaster({
    name: 'shop',
    command: [
      'node',
      '-e',
      `require('node:http').createServer((q, r) => { ${busy} r.end('x'); }).listen(Number(process.env.PORT))`,
    ],
  });
  const port = await master.serving();
  const pid = await master.workerPid(1);
  const delay = `nodejs_eventloop_delay_max_seconds{program="shop",generation="1",slot="0",pid="${pid}"}`;
  const utilization = `nodejs_eventloop_utilization{program="shop",generation="1",slot="0",pid="${pid}"}`;
  await eventually('the worker is asked', async () => (await scrape(master)).has(utilization));
  // Its first question begins the measurement; a delay is known once the timer has fired twice.
  await eventually('delays are measured', async () => (await scrape(master)).has(delay));
  await get(port, '/');
  await eventually('a late timer is seen', async () => ((await scrape(master)).get(delay) ?? 0) > 0.2);
  const cpu = `process_cpu_time_seconds_total{role="worker",program="shop",generation="1",slot="0",pid="${pid}"}`;
  expect((await scrape(master)).get(cpu)).toBeGreaterThan(0);
});

async function ask(
  url: string,
  options: https.RequestOptions = {},
): Promise<{ readonly status: number; readonly body: string; readonly fingerprint: string }> {
  const request = (url.startsWith('https') ? https : http).get(url, { agent: false, ...options });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const peer =
    'getPeerCertificate' in response.socket
      ? (
          response.socket as unknown as { getPeerCertificate(): { fingerprint256: string } }
        ).getPeerCertificate()
      : null;
  let body = '';
  for await (const chunk of response.setEncoding('utf8')) body += String(chunk);
  return { status: response.statusCode ?? 0, body, fingerprint: peer?.fingerprint256 ?? '' };
}

function config(folder: string, keys: string): readonly string[] {
  writeFileSync(
    join(folder, 'shop.toml'),
    `[master]\n${keys}\n[program.shop]\ncommand = ${JSON.stringify(server)}\nport = 0\n`,
  );
  return ['-c', 'shop.toml', '--log-format', 'json'];
}

test('the TCP address wants its token, and shows nothing else', async () => {
  const cwd = temporaryFolder();
  const flags = config(cwd, 'metrics = "127.0.0.1:0"\nmetrics_token = "${SECRET}"');
  const master = runMaster({ hasOwnFlags: false, flags, command: [], cwd, env: { SECRET: 's3cret' } });
  const { port } = await master.waitFor('metricsServed', { isSecure: false });
  await master.waitFor('generationReady');
  const url = `http://127.0.0.1:${port ?? 0}`;
  const authorized = { headers: { authorization: 'Bearer s3cret' } };
  expect((await ask(`${url}/metrics`)).status).toBe(401);
  expect((await ask(`${url}/metrics`, { headers: { authorization: 'Bearer s3cre' } })).status).toBe(401);
  expect((await ask(`${url}/v1/status`, authorized)).status).toBe(404);
  expect((await ask(`${url}/metrics`, { ...authorized, method: 'POST' })).status).toBe(405);
  const { status, body } = await ask(`${url}/metrics`, authorized);
  expect([status, parse(body).get('graceful_run_program_serving{program="shop"}')]).toEqual([200, 1]);
});

test('with a certificate it is HTTPS, and a renewed certificate is used at once', async () => {
  const cwd = temporaryFolder();
  const certificate = (name: string): void => {
    execFileSync(
      'openssl',
      [
        ...[
          'req',
          '-x509',
          '-newkey',
          'ec',
          '-pkeyopt',
          'ec_paramgen_curve:prime256v1',
          '-nodes',
          '-days',
          '2',
        ],
        ...['-subj', '/CN=localhost', '-keyout', join(cwd, `${name}.key`), '-out', join(cwd, `${name}.crt`)],
      ],
      { stdio: 'ignore' },
    );
  };
  certificate('metrics');
  certificate('next');
  const flags = config(
    cwd,
    'metrics = "127.0.0.1:0"\nmetrics_cert = "metrics.crt"\nmetrics_key = "metrics.key"',
  );
  const master = runMaster({ hasOwnFlags: false, flags, command: [], cwd });
  const { port } = await master.waitFor('metricsServed', { isSecure: true });
  const url = `https://127.0.0.1:${port ?? 0}/metrics`;
  const first = await ask(url, { rejectUnauthorized: false });
  expect(first.status).toBe(200);
  writeFileSync(join(cwd, 'metrics.crt'), 'half of a certificate');
  expect((await ask(url, { rejectUnauthorized: false })).fingerprint).toBe(first.fingerprint);
  await master.waitFor('metricsFailed');
  for (const ending of ['crt', 'key'])
    copyFileSync(join(cwd, `next.${ending}`), join(cwd, `metrics.${ending}`));
  const { status, fingerprint } = await ask(url, { rejectUnauthorized: false });
  expect([status, fingerprint === first.fingerprint]).toEqual([200, false]);
});

test('an address that is in use is said before anything is started', async () => {
  const cwd = temporaryFolder();
  const port = await freePort();
  const holder = http.createServer().listen(port, '127.0.0.1');
  await once(holder, 'listening');
  const flags = config(cwd, `metrics = "127.0.0.1:${port}"`);
  const master = runMaster({ hasOwnFlags: false, flags, command: [], cwd });
  expect((await master.exited).code).toBe(1);
  expect(master.all('workerStarted')).toEqual([]);
  holder.close();
});
