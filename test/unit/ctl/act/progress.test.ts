import { expect, test } from 'vitest';
import { plain } from '../../../../src/ctl/show/status-view.ts';
import { FakeMaster, openFake, settleable, socketFolder } from '../../../helpers/fake-master.ts';
import { renderProgress, showingProgress } from '../../../../src/ctl/act/progress.ts';
import { exampleEvents } from '../../../helpers/example-events.ts';

function textOf(line: string): string | null {
  return renderProgress(line)?.text ?? null;
}

test('while a command waits, the steps of a reload, the progress of a drain and what an upgrade waits for are shown, and no other events', () => {
  const shown = exampleEvents.flatMap(
    (event) => renderProgress(JSON.stringify({ ...event, program: 'web', time: 1 }))?.text ?? [],
  );
  expect(shown).toEqual([
    'the upgrade waits: shop is being reloaded',
    'generation 2 starting with 1 worker: /srv/releases/42/app.js, changed',
    'canary: 1 of 4 workers of generation 2 serving; the next step starts in 60s',
    'worker 4242 of generation 2 not ready yet: GET /healthz answered 503',
    'waiting for 1 worker with 1 request in flight, 3 connections open, for at most 29s; the same gracefulctl stop or shutdown again stops at once',
  ]);
  expect(renderProgress('nonsense')).toBe(null);
});

test('a worker whose requests are done, and whose clean-up runs, is not said to have 0 requests', () => {
  const shown = (open: object): string | null =>
    textOf(JSON.stringify({ ...exampleEvents.find(isProgress), ...open, program: 'web', time: 1 }));
  const isProgress = ({ event }: { event: string }): boolean => event === 'stillDraining';
  expect(shown({ requests: 0, connections: 0, cleaningUp: 1 })).toContain(
    'waiting for 1 worker with clean-up handlers running, ',
  );
  expect(shown({ workers: 2, requests: 1, connections: 1, cleaningUp: 1 })).toContain(
    'waiting for 2 workers with 1 request in flight, 1 connection open, clean-up handlers running, ',
  );
});

test('a reload that waits for another one says so, and a probation is named with its length', () => {
  const shown = (event: object): string | null =>
    textOf(JSON.stringify({ ...event, program: 'web', time: 1 }));
  expect(shown({ event: 'reloadRequested', cause: 'control', generation: 3, pending: true })).toBe(
    'reload requested by the control socket: generation 3 starts after the reload that is running',
  );
  const ready = { event: 'generationReady', generation: 3, durationMs: 5, release: null };
  expect(shown({ ...ready, probationMs: 2_000 })).toBe('generation 3 is on probation for 2s');
  expect(shown({ ...ready, probationMs: 0 })).toBe(null);
});

test('the events are followed before the command is carried out, so that none of its own is missed', async () => {
  const folder = socketFolder();
  const master = new FakeMaster();
  const server = await openFake(folder.path, master);
  const shown: string[] = [];
  const seen = settleable<undefined>();
  const terminal = {
    out: () => undefined,
    outSlowly: () => Promise.resolve(),
    err: (text: string) => {
      shown.push(text);
      seen.resolve(undefined);
    },
    styles: plain,
    errStyles: plain,
    isInteractive: true,
    columns: 80,
  };
  try {
    await showingProgress(
      [{ master: { name: 'web', path: server.path }, programs: ['web'] }],
      terminal,
      async () => {
        expect(master.calls).toContain('subscribe');
        const started = { event: 'generationStarted', generation: 2, workers: 1, release: null } as const;
        master.emit({ ...started, program: 'web', time: 1 });
        await seen.promise;
      },
    );
    expect(shown).toEqual(['generation 2 starting with 1 worker\n']);
  } finally {
    await server.close();
    folder.remove();
  }
});
