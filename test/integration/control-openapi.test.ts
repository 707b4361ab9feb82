// Asks running masters everything that openapi.json describes, and holds status and body of every answer to it.
import { once } from 'node:events';
import http from 'node:http';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { planInvalid } from '../../src/master/config/plan-invalid.ts';
import { GracefulRunError } from '../../src/shared/errors.ts';
import { controlledMaster, planOf, serving } from '../helpers/controlled-master.ts';
import { FakeMaster, openFake, settleable, socketFolder } from '../helpers/fake-master.ts';
import { description, problemsOfAnswer } from '../helpers/openapi.ts';
import { app } from '../helpers/run-master.ts';

const seen = new Set<string>();

interface Asked {
  readonly status: number;
  readonly body: string;
}

type Ask = (method: 'GET' | 'POST', route: string, body?: unknown) => Promise<Asked>;

/** Asks, and expects that openapi.json describes the answer. `route` may be a program's: `/v1/programs/shop/reload`. */
function asking(socketPath: string): Ask {
  return async (method, route, body) => {
    const request = http.request({ socketPath, method, path: route, agent: false });
    request.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    let text = '';
    response.setEncoding('utf8');
    for await (const chunk of response) text += String(chunk);
    const answer = {
      status: response.statusCode ?? 0,
      type: response.headers['content-type'] ?? '',
      body: text,
    };
    const path = route.replace(/\?.*$/, '').replace(/^(\/v1\/programs\/)[^/]+/, '$1{name}');
    expect([path, answer.status, problemsOfAnswer(path, method.toLowerCase(), answer)]).toEqual([
      path,
      answer.status,
      [],
    ]);
    seen.add(`${method.toLowerCase()} ${path} ${answer.status}`);
    return answer;
  };
}

async function statusesOf(asked: readonly Promise<Asked>[]): Promise<readonly number[]> {
  return (await Promise.all(asked)).map(({ status }) => status);
}

const tooLarge = { wait: 'x'.repeat(70_000) };

test('a master of many programs answers as described', async () => {
  const broken = serving({ command: app('exits-before-ready'), autostart: false });
  const plan = planOf('many', { shop: serving(), mail: serving({ probation: '60s' }), broken });
  const controlled = await controlledMaster(plan);
  const ask = asking(controlled.path);
  const followed = ask('GET', '/v1/events');
  const followedShop = ask('GET', '/v1/programs/shop/events');

  for (const route of ['/v1/master', '/v1/programs', '/v1/programs/shop'])
    expect((await ask('GET', route)).status).toBe(200);
  expect(await statusesOf([ask('GET', '/v1/programs/none'), ask('GET', '/v1/programs/none/events')])).toEqual(
    [404, 404],
  );
  for (const action of ['start', 'reload', 'promote', 'rollback', 'restart', 'stop', 'scale']) {
    const body =
      action === 'scale'
        ? { workers: 2 }
        : action === 'promote' || action === 'rollback'
          ? {}
          : { wait: true };
    expect((await ask('POST', `/v1/programs/none/${action}`, body)).status).toBe(404);
    expect((await ask('POST', `/v1/programs/shop/${action}`, { unknown: 1 })).status).toBe(400);
    expect((await ask('POST', `/v1/programs/shop/${action}`, tooLarge)).status).toBe(413);
  }
  for (const action of ['start', 'reload', 'restart']) {
    expect((await ask('POST', `/v1/programs/shop/${action}`)).status).toBe(202);
    expect((await ask('POST', `/v1/programs/shop/${action}`, { wait: 'drained' })).status).toBe(200);
  }
  for (const action of ['promote', 'rollback']) {
    expect((await ask('POST', `/v1/programs/mail/${action}`)).status).toBe(409);
    expect((await ask('POST', '/v1/programs/mail/reload', { wait: 'serving' })).status).toBe(200);
    expect((await ask('POST', `/v1/programs/mail/${action}`)).status).toBe(200);
  }
  expect((await ask('POST', '/v1/programs/shop/scale', { workers: 2 })).status).toBe(200);
  expect((await ask('POST', '/v1/programs/broken/start', { wait: true })).status).toBe(409);
  expect((await ask('POST', '/v1/programs/broken/restart', { wait: true })).status).toBe(409);
  expect((await ask('GET', '/v1/programs/broken')).status).toBe(200);
  expect((await ask('GET', '/v1/programs/broken/logs')).status).toBe(200);
  expect((await ask('GET', '/v1/programs/none/logs')).status).toBe(404);
  expect((await ask('GET', '/v1/programs/shop/logs?lines=many')).status).toBe(400);

  expect((await ask('GET', '/v1/status')).status).toBe(409);
  expect((await ask('POST', '/v1/reload', { wait: true })).status).toBe(409);
  expect((await ask('POST', '/v1/scale', { workers: 2 })).status).toBe(409);

  controlled.read = () =>
    planOf('many', { shop: serving({ workers: 2 }), mail: serving(), broken: serving() });
  expect((await ask('POST', '/v1/update', { dryRun: true })).status).toBe(200);
  controlled.read = () => planOf('many', { shop: { ...broken, autostart: true }, added: serving() });
  const { status, body } = await ask('POST', '/v1/update');
  expect([status, JSON.parse(body)]).toMatchObject([409, { applied: true }]);
  controlled.read = () => {
    throw planInvalid('/etc/graceful.toml', [
      {
        file: '/etc/graceful.toml',
        line: 3,
        column: 8,
        key: 'program.shop.port',
        message: 'must be a whole number from 0 to 65535',
        hint: null,
      },
    ]);
  };
  expect((await ask('POST', '/v1/update')).status).toBe(422);
  expect(
    await statusesOf([ask('POST', '/v1/update', { wait: true }), ask('POST', '/v1/update', tooLarge)]),
  ).toEqual([400, 413]);

  // This process cannot be replaced.
  expect(
    await statusesOf([
      ask('POST', '/v1/upgrade'),
      ask('POST', '/v1/upgrade', { unknown: 1 }),
      ask('POST', '/v1/upgrade', tooLarge),
    ]),
  ).toEqual([409, 400, 413]);

  expect((await ask('POST', '/v1/programs/shop/stop')).status).toBe(202);
  expect((await ask('POST', '/v1/programs/shop/stop', { wait: true })).status).toBe(202);
  expect((await ask('POST', '/v1/programs/shop/reload', { wait: true })).status).toBe(409);
  expect((await ask('POST', '/v1/programs/shop/scale', { workers: 2 })).status).toBe(409);

  expect((await ask('POST', '/v1/stop', { wait: 1 })).status).toBe(400);
  expect((await ask('POST', '/v1/stop', tooLarge)).status).toBe(413);
  expect((await ask('POST', '/v1/stop', { wait: true })).status).toBe(202);
  for (const { body } of await Promise.all([followed, followedShop]))
    expect(body.split('\n').length).toBeGreaterThan(10);
}, 60_000);

test('a master of one program answers as described', async () => {
  const { path } = await controlledMaster(planOf('one', { one: serving() }, null));
  const ask = asking(path);
  for (const route of ['/v1/status', '/v1/master', '/v1/programs', '/v1/programs/one'])
    expect((await ask('GET', route)).status).toBe(200);
  for (const route of ['/v1/reload', '/v1/scale']) {
    expect((await ask('POST', route, { workers: 'x' })).status).toBe(400);
    expect((await ask('POST', route, tooLarge)).status).toBe(413);
  }
  expect((await ask('POST', '/v1/reload')).status).toBe(202);
  expect((await ask('POST', '/v1/reload', { wait: true })).status).toBe(200);
  expect((await ask('POST', '/v1/scale', { workers: 2 })).status).toBe(200);
  expect((await ask('POST', '/v1/update')).status).toBe(409);
});

test('a master that cannot serve a request says so as described', async () => {
  const folder = socketFolder();
  onTestFinished(folder.remove);
  const master = new FakeMaster();
  const server = await openFake(folder.path, master);
  onTestFinished(() => server.close());
  const ask = asking(server.path);
  const stopped = new GracefulRunError('masterStopped', 'cannot reload: the master is stopping');
  for (const [error, status] of [
    [stopped, 503],
    [new Error('oops'), 500],
  ] as const) {
    const reloading = ask('POST', '/v1/reload', { wait: true });
    await master.called('reload');
    master.outcome.reject(error);
    expect((await reloading).status).toBe(status);
    master.calls.length = 0;
    master.outcome = settleable();
  }
});

afterAll(() => {
  const described = Object.entries(description.paths).flatMap(([path, operations]) =>
    Object.entries(operations)
      .filter(([method]) => method === 'get' || method === 'post')
      .flatMap(([method, { responses }]) =>
        Object.keys(responses).map((status) => `${method} ${path} ${status}`),
      ),
  );
  // Every route can answer with 500 and 503, in the same way.
  expect(described.filter((one) => !seen.has(one) && !/ 50[03]$/.test(one))).toEqual([]);
});
