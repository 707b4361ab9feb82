// Runs the first example of docs/config.md as it stands; only ports are replaced.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isWebhookEvent } from '../../src/master/config/options/webhook-options.ts';
import { freePort } from '../helpers/plain-client.ts';
import { runMaster, temporaryFolder } from '../helpers/run-master.ts';

const page = readFileSync(new URL('../../docs/config.md', import.meta.url), 'utf8');

function example(name: string): string {
  const code = new RegExp(`<!-- test: ${name} -->\n\`\`\`\\w+\n([^]*?)\`\`\``).exec(page)?.[1];
  if (code === undefined) throw new Error(`docs/config.md has no example ${name}`);
  return code;
}

test('the first example of docs/config.md runs, with -c and without', async () => {
  const [shop, admin] = [await freePort(), await freePort()];
  const folder = temporaryFolder();
  const ofPorts = (name: string): string =>
    example(name).replaceAll(/\b300[01]\b/g, (port) => String(port === '3000' ? shop : admin));
  const answerOf = async (port: number): Promise<string> => (await fetch(`http://127.0.0.1:${port}`)).text();
  execFileSync('sh', ['-c', ofPorts('programs')], { cwd: folder });
  writeFileSync(join(folder, 'graceful.toml'), ofPorts('first'));
  const commands = example('run')
    .trim()
    .split('\n')
    .map((line) =>
      line
        .replace(/\s*#.*/, '')
        .split(' ')
        .slice(1),
    );
  expect(commands).toEqual([['-c', 'graceful.toml'], []]);
  for (const args of commands) {
    const master = runMaster({ hasOwnFlags: false, flags: args, command: [], cwd: folder });
    // admin is started when shop serves.
    await master.waitFor('generationReady', (event) => 'program' in event && event.program === 'admin');
    expect(await answerOf(shop)).toBe(`info ${folder}/data/shop\n`);
    expect(await answerOf(admin)).toBe('Back office\n');
    await master.finish();
  }
});

test('a webhook can be sent each event that docs/hooks.md names for a hook', () => {
  const hooks = readFileSync(new URL('../../docs/hooks.md', import.meta.url), 'utf8');
  const rows = [...hooks.matchAll(/^\| `\w+` \|.*\| ([^|]*) \|$/gm)];
  expect(rows).toHaveLength(7);
  const events = rows.flatMap(([, cell = '']) => [...cell.matchAll(/`([a-z]+[A-Z]\w+|stopped)`/g)]);
  expect(events.map(([, name = '']) => name).filter((name) => !isWebhookEvent(name))).toEqual([]);
  expect(events.length).toBeGreaterThanOrEqual(9);
});
