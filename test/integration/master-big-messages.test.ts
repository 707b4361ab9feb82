import { expect, it } from 'vitest';
import { app, runMaster } from '../helpers/run-master.ts';

it('long messages of the application to its parent are passed over, and none is taken for garbage', async () => {
  const master = runMaster({ command: app('sends-big-messages') });
  await master.serving();
  await master.waitForLine('all sent');
  await master.reload(2);
  expect(master.all('messageRejected')).toEqual([]);
});
