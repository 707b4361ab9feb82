// The types of the package, as a TypeScript project sees them that installs it.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../helpers/run-master.ts';

const root = new URL('../..', import.meta.url).pathname;
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly exports: Readonly<Record<string, string | { readonly types: string }>>;
};
const entries = Object.entries(manifest.exports).flatMap(([name, target]) =>
  typeof target === 'string' ? [] : [[name, join(root, target.types)] as const],
);

const compilerOptions = {
  target: 'es2023',
  module: 'nodenext',
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  noEmit: true,
};

test('a strict project that checks libraries compiles against everything that the package exports', () => {
  const project = temporaryFolder();
  const modules = join(project, 'node_modules');
  const installed = join(modules, 'graceful-run');
  mkdirSync(installed, { recursive: true });
  mkdirSync(join(modules, '@types'));
  const packed = execFileSync(
    'npm',
    ['pack', '--ignore-scripts', '--silent', '--pack-destination', project],
    { cwd: root, encoding: 'utf8' },
  );
  execFileSync('tar', ['-xzf', packed.trim(), '--strip-components=1', '-C', installed], { cwd: project });
  for (const name of ['@types/node', '@types/ws', 'ws']) {
    symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
  copyFileSync(join(root, 'test/fixtures/types/consumer.mts'), join(project, 'consumer.mts'));
  writeFileSync(join(project, 'package.json'), JSON.stringify({ type: 'module' }));
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['consumer.mts'] }));
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout } = spawnSync(process.execPath, [compiler, '-p', project], { encoding: 'utf8' });
  expect(stdout).toBe('');
}, 120_000);

/** All entries: most of the time of a program goes into the types of Node.js. */
let program: ts.Program;

beforeAll(() => {
  program = ts.createProgram(
    entries.map(([, file]) => file),
    { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2023, types: ['node'], noEmit: true },
  );
});

test.each(entries)('every type in a signature of the entry %s can be imported from it', (_name, file) => {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  const entry = source === undefined ? undefined : checker.getSymbolAtLocation(source);
  if (entry === undefined) throw new Error(`${file} is no module: is it built?`);
  const original = (symbol: ts.Symbol): ts.Symbol =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const exported = new Set(checker.getExportsOfModule(entry).map(original));
  const unnamed = new Set<string>();

  function visit(node: ts.Node): void {
    if (ts.isIdentifier(node)) {
      const found = checker.getSymbolAtLocation(node);
      const symbol = found === undefined ? undefined : original(found);
      if (symbol !== undefined && isOwnType(symbol) && !exported.has(symbol)) unnamed.add(symbol.name);
    }
    ts.forEachChild(node, visit);
  }
  for (const symbol of exported) for (const declaration of symbol.declarations ?? []) visit(declaration);
  expect(exported.size).toBeGreaterThan(0);
  expect([...unnamed]).toEqual([]);
});

/** True for a type that the package declares by name; its type parameters are no such types. */
function isOwnType(symbol: ts.Symbol): boolean {
  const named =
    ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias | ts.SymbolFlags.Class | ts.SymbolFlags.Enum;
  const isNamed = (symbol.flags & named) !== 0;
  return (
    isNamed &&
    (symbol.declarations ?? []).some((one) => one.getSourceFile().fileName.startsWith(join(root, 'dist')))
  );
}
