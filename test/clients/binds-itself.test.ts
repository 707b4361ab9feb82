// Programs of docs/programs.md that bind their port themselves, beside the generation before: in a network of their own, whose kernel setting is another one.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished, test } from 'vitest';
import { canRun, isRoot, mayRun } from '../helpers/required-programs.ts';
import { runMaster } from '../helpers/run-master.ts';
import { expectReloads } from './expect-reloads.ts';
import type { Loads, Tallies } from './loads.ts';
import { readExamples } from './program-examples.ts';
import { env, folderFor } from './run-example.ts';

const port = 8000;
const ofItsOwn = ['unshare', '--net', 'sh', '-ec', 'ip link set lo up; exec "$@"', 'sh'];
const loadsProcess = new URL('loads-process.ts', import.meta.url).pathname;

for (const example of readExamples().filter(({ bindsItself }) => bindsItself))
  test.skipIf(!mayRun(isRoot) || !canRun(example.needs))(
    `${example.name} reloads under load, as docs/programs.md shows it`,
    async () => {
      const cwd = folderFor(example.files);
      const network = spawn('env', [...ofItsOwn, 'cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
      onTestFinished(async () => {
        network.stdin.end();
        if (network.exitCode === null) await once(network, 'exit');
      });
      network.stdin.write('\n');
      // It is in the network now.
      await once(network.stdout, 'data');
      const inside = ['nsenter', '--target', String(network.pid), '--net'];
      for (const line of example.setup) execFileSync('env', [...inside, 'sh', '-ec', line], { cwd, env });
      const master = runMaster({
        cwd,
        env,
        hasOwnFlags: false,
        name: 'example',
        through: inside,
        flags: ['--log-level', 'debug', '--log-format', 'json', ...example.flags],
        command: example.command,
      });
      await master.waitFor('generationReady', { generation: 1 });
      await expectReloads(example, master, startLoads(inside));
    },
    60_000,
  );

function startLoads(through: readonly string[]): Loads {
  const words = [...through, process.execPath, '--import', 'tsx', loadsProcess, String(port)];
  const child = spawn('env', words, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ask = async (wanted: 'more' | 'stop'): Promise<Tallies> => {
    const answered = once(child, 'message');
    child.send(wanted);
    const [tallies] = (await answered) as [Tallies];
    return tallies;
  };
  let stopped: Promise<Tallies> | null = null;
  const stop = (): Promise<Tallies> => (stopped ??= ask('stop'));
  onTestFinished(async () => {
    await stop();
    if (child.exitCode === null) await once(child, 'exit');
  });
  return { more: () => ask('more'), stop };
}
