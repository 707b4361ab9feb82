import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { resolveCommand, type ResolvedCommand } from '../../../../src/master/launch/resolve-command.ts';
import { errorOf, folderWith } from './support.ts';

const binary = '\x7fELF';

function resolved(cwd: string, command: readonly string[], PATH = 'bin'): ResolvedCommand {
  return resolveCommand(command, { cwd, environment: { PATH } });
}

describe('looking up a command', () => {
  it('finds a name in the PATH that is given, skipping folders and what is not executable', () => {
    const cwd = folderWith({ 'b/tool': binary, 'c/tool*': binary, 'd/tool*': binary });
    mkdirSync(join(cwd, 'a/tool'), { recursive: true });
    const { file, args } = resolved(
      cwd,
      ['tool', '--port', '1'],
      `${cwd}/a:${cwd}/missing:${cwd}/b:${cwd}/c:${cwd}/d`,
    );
    expect(file).toBe(join(cwd, 'c/tool'));
    expect(args).toEqual(['--port', '1']);
  });

  it('takes a relative or empty element of PATH from the working directory', () => {
    const cwd = folderWith({ 'bin/tool*': binary, 'here*': binary });
    expect(resolved(cwd, ['tool'], '/missing:bin').file).toBe(join(cwd, 'bin/tool'));
    expect(resolved(cwd, ['here'], '/missing:').file).toBe(join(cwd, 'here'));
  });

  it('does not look into PATH for a name with a slash', () => {
    const cwd = folderWith({ 'bin/tool*': binary, 'sub/tool*': binary });
    expect(resolved(cwd, ['sub/tool']).file).toBe(join(cwd, 'sub/tool'));
    expect(errorOf(() => resolved(cwd, ['./tool'])).code).toBe('commandNotFound');
  });

  it('looks where execvp does when PATH is not set', () => {
    expect(resolveCommand(['sh'], { cwd: '/', environment: {} }).file).toBe('/bin/sh');
  });

  it('leaves symlinks as they are, and finds what they lead to now', () => {
    const cwd = folderWith({ 'releases/42/run*': binary });
    symlinkSync('releases/42', join(cwd, 'current'));
    expect(resolved(cwd, ['current/run']).file).toBe(join(cwd, 'current/run'));
  });

  it('refuses an empty command', () => {
    expect(errorOf(() => resolved('/', [])).code).toBe('commandMissing');
    expect(errorOf(() => resolved('/', [''])).code).toBe('commandMissing');
  });

  it('says that the working directory is missing, or is none', () => {
    const cwd = folderWith({ file: '' });
    expect(errorOf(() => resolved(join(cwd, 'gone'), ['sh'])).code).toBe('cwdMissing');
    expect(errorOf(() => resolved(join(cwd, 'file'), ['sh'])).code).toBe('cwdMissing');
  });
});

describe('a command that cannot be run', () => {
  // Hints are for people; here only what they must name is looked at.
  it.each<[string, Record<string, string>, string, string, string]>([
    ['a script that is not on PATH', { 'app.js': '' }, 'app.js', 'commandNotFound', 'node app.js'],
    ['a program beside, not on PATH', { 'server*': binary }, 'server', 'commandNotFound', './server'],
    [
      'a command of an installed package',
      { 'node_modules/.bin/tsx*': '' },
      'tsx',
      'commandNotFound',
      'npx tsx',
    ],
    ['a whole command in quotes', { 'app.js': '' }, 'node app.js', 'commandNotFound', '-- node app.js'],
    ['a relative path that is not there', {}, './run', 'commandNotFound', 'working directory'],
    ['a script without permission', { 'app.js': '' }, './app.js', 'commandNotExecutable', 'node ./app.js'],
    ['a program without permission', { run: binary }, './run', 'commandNotExecutable', 'chmod +x'],
    [
      'a program without permission on PATH',
      { 'bin/run': binary },
      'run',
      'commandNotExecutable',
      'chmod +x',
    ],
    ['a folder', { 'app/package.json': '{}' }, './app', 'commandNotExecutable', 'node ./app'],
    [
      'a script without its interpreter',
      { 'run*': '#!/opt/missing/tool\n' },
      './run',
      'commandNotExecutable',
      'interpreter',
    ],
    [
      'a script with Windows line endings',
      { 'run*': '#!/usr/bin/env node\r\nx\r\n' },
      './run',
      'commandNotExecutable',
      '/run)',
    ],
    [
      'an absolute path that is not there',
      {},
      '/opt/gone/run',
      'commandNotFound',
      'whether a release was removed',
    ],
    [
      'a whole command in quotes, in a config file',
      {},
      ' node  app.js ',
      'commandNotFound',
      'command = ["node", "app.js"]',
    ],
  ])('%s gets a hint', (_title, files, name, code, hint) => {
    const error = errorOf(() => resolved(folderWith(files), [name]));
    expect(error.code).toBe(code);
    expect(error.hint).toContain(hint);
  });
});

describe('whether a command is Node.js', () => {
  it.each<[string, boolean]>([
    ['#!/usr/bin/env node\n', true],
    ['#!/usr/bin/env -S node --enable-source-maps\n', true],
    ['#!/usr/bin/env -S NODE_ENV=production node\n', true],
    ['#! /usr/bin/env nodejs\n', true],
    ['#!/usr/bin/env tsx\n', true],
    ['#!/usr/bin/env python3\n', false],
    ['#!/bin/sh\nexec node app.js\n', false],
    [
      '#!/bin/sh\nbasedir=$(dirname "$0")\nif [ -x "$basedir/node" ]; then\n  exec "$basedir/node"  "$basedir/../x.js" "$@"\nfi\n',
      true,
    ],
    ['echo node\n', false],
    [binary, false],
  ])('is told from the first line: %j', (content, isNode) => {
    expect(resolved(folderWith({ 'run*': content }), ['./run']).isNode).toBe(isNode);
  });

  it('is told from the name, or from what a symlink leads to', () => {
    const cwd = folderWith({ 'bin/node*': binary, 'lib/tool.js*': '#!/usr/bin/env node\n' });
    symlinkSync(process.execPath, join(cwd, 'runtime'));
    symlinkSync('../lib/tool.js', join(cwd, 'bin/tool'));
    for (const name of ['node', './runtime', 'tool']) expect(resolved(cwd, [name]).isNode).toBe(true);
    expect(resolved(cwd, ['/bin/sh']).isNode).toBe(false);
  });

  it('is told for a script that calls its node by a full path', () => {
    const cwd = folderWith({ 'bin/node*': binary });
    const script = folderWith({ 'run*': `#!${cwd}/bin/node --flag\n` });
    expect(resolved(script, ['./run']).isNode).toBe(true);
  });

  it('is not known of an executable that cannot be read, and that is no error', () => {
    const cwd = folderWith({ 'run*': binary });
    chmodSync(join(cwd, 'run'), 0o111);
    expect(resolved(cwd, ['./run']).isNode).toBe(false);
  });

  it.runIf(process.getuid?.() !== 0)('says so if a directory above it may not be entered', () => {
    const cwd = folderWith({ 'closed/run*': binary });
    chmodSync(join(cwd, 'closed'), 0o600);
    const { code, message, hint } = errorOf(() => resolved(cwd, ['closed/run']));
    expect(code).toBe('commandNotExecutable');
    expect(message).toContain('no access');
    expect(hint).toContain('namei -l');
  });
});
