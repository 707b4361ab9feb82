/** The examples of docs/programs.md, read from the page: files, commands, and what is said about them. */
import { readFileSync } from 'node:fs';
import { splitWords } from '../../src/master/launch/split-words.ts';

export interface Example {
  readonly name: string;
  /** The commands that have to be installed. */
  readonly needs: readonly string[];
  readonly protocol: 'http' | 'fastcgi';
  /** Whether the page says that the program closes idle connections at a reload: then it may lose a request on each of them. */
  readonly closesIdle: boolean;
  /** Whether it binds its port itself, and inherits no listener. */
  readonly bindsItself: boolean;
  /** How it ends when it has drained. */
  readonly outcome: { readonly code: number | null; readonly signal: string | null };
  readonly files: readonly { readonly path: string; readonly text: string }[];
  /** Lines before the one that starts graceful-run. */
  readonly setup: readonly string[];
  readonly flags: readonly string[];
  /** Empty: the programs are those of `graceful.toml`. */
  readonly command: readonly string[];
}

const page: string = readFileSync(new URL('../../docs/programs.md', import.meta.url), 'utf8');

const mark =
  /<!-- program: ([^;]+); needs: ([^;]+?)(?:; protocol: (\w+))?; keep-alive: (\w+)(?:; exit: (\w+))?(?:; binds: (itself))? -->/;
const block = /```(\w+)\n([^]*?)```/g;
/** `# app.py`, `// server.go`, `; x.conf`, `<?php // x.php` or `<!-- x.html -->` in the first line of a file. */
const fileName = /^(?:#|\/\/|;|<\?php \/\/|<!--) ([\w.-]+\.\w+)(?: -->)?\n/;

export function readExamples(): readonly Example[] {
  return page.split(/^### /m).flatMap((section) => {
    const [, name, needs = '', protocol, keepAlive, exit = '0', binds] = mark.exec(section) ?? [];
    if (name === undefined) return [];
    const blocks = [...section.matchAll(block)].map(([, language = '', text = '']) => ({ language, text }));
    const files = blocks.flatMap(({ language, text }) => {
      const path = language === 'toml' ? 'graceful.toml' : fileName.exec(text)?.[1];
      return path === undefined ? [] : [{ path, text }];
    });
    const lines = blocks
      .filter(({ language }) => language === 'sh')
      .flatMap(({ text }) => text.trim().split('\n'));
    const [last = '', ...setup] = lines.toReversed();
    const words = splitWords(last).slice(1);
    const dashes = words.indexOf('--');
    return [
      {
        name,
        needs: needs.split(', '),
        protocol: protocol === 'fastcgi' ? protocol : 'http',
        closesIdle: keepAlive === 'closed',
        bindsItself: binds !== undefined,
        outcome: exit.startsWith('SIG') ? { code: null, signal: exit } : { code: Number(exit), signal: null },
        files,
        setup: setup.toReversed(),
        flags: words.slice(0, dashes),
        command: words.slice(dashes + 1),
      },
    ];
  });
}

export function exampleOf(wanted: string): Example {
  const example = readExamples().find(({ name }) => name === wanted);
  if (example === undefined) throw new Error(`there is no example of ${wanted}`);
  return example;
}
