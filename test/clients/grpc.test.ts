// grpc-js on both sides, neither of which knows of graceful-run, behind the built command.
import { expect, test } from 'vitest';
import { runMaster } from '../helpers/run-master.ts';
import { failureCounts } from '../helpers/tally.ts';
import { node } from './fixture.ts';
import { openCountStream, startGrpcLoad } from './grpc-client.ts';
import { expectNoFailure, watchGenerations, type StartedLoad } from './reload-under-load.ts';

const command = node('grpc.mjs');

function unaryCalls(port: number): StartedLoad {
  const seen = watchGenerations();
  const load = startGrpcLoad({ port, clients: 8, problemOf: seen.problemOf, answered: seen.note });
  return { load, youngest: seen.youngest };
}

test('a gRPC server reloads under unary calls without a failure', async () => {
  await expectNoFailure({ command }, (port) => [unaryCalls(port)]);
});

test('a gRPC stream that outlives three reloads comes whole, and ends well', async () => {
  const master = runMaster({ command });
  const port = await master.serving();
  const stream = openCountStream(port);
  await stream.begun;
  const { load, youngest } = unaryCalls(port);
  for (const generation of [2, 3, 4]) {
    await load.moreAnswers(20);
    await master.reload(generation);
    if (generation > 2) await master.waitFor('workerExited', { generation: generation - 1 });
  }
  await load.moreAnswers(20);
  process.kill(await master.workerPid(1), 'SIGUSR2');
  expect(await stream.ended).toBe('OK');
  const numbers = stream.messages.slice(0, -1);
  expect(numbers.length).toBeGreaterThan(0);
  expect(stream.messages).toEqual([...numbers.map((_, at) => String(at)), 'last']);
  await master.waitFor('workerExited', { generation: 1 });
  expect(failureCounts(await load.stop()), load.tally.examples.join('\n')).toEqual({});
  expect(youngest()).toBe(4);
  expect(master.all('workerExited').map(({ outcome, cut }) => ({ code: outcome.code, cut }))).toEqual(
    [1, 2, 3].map(() => ({ code: 0, cut: 0 })),
  );
});
