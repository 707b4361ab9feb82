/** Which parser reads a file: its name decides. */
import { type Parsed, SyntaxFaults } from './document.ts';
import { loadModule } from './load-module.ts';
import { readText } from './read-text.ts';

type Parser = (text: string) => Parsed;

const loadYaml = async (): Promise<Parser> => (await import('./parse-yaml.ts')).parseYaml;

/** Loads the parser for each ending. A parser that no file needs is not loaded: that of YAML alone is a third of the code. */
const textFormats: Readonly<Record<string, () => Promise<Parser>>> = {
  toml: async () => (await import('./parse-toml.ts')).parseToml,
  yaml: loadYaml,
  yml: loadYaml,
  json: async () => (await import('./parse-json.ts')).parseJson,
};
const moduleFormats: ReadonlySet<string> = new Set(['js', 'cjs', 'mjs', 'ts', 'mts']);

/** Parses the file with the parser for its name. `willRunCode`: called if the file is a program. Throws `SyntaxFaults`. */
export async function parseFile(path: string, willRunCode: () => void): Promise<Parsed> {
  const ending = /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? '';
  if (moduleFormats.has(ending)) {
    willRunCode();
    return loadModule(path);
  }
  const load = Object.hasOwn(textFormats, ending) ? textFormats[ending] : undefined;
  // Read before the format is checked, so that a missing file is reported as missing.
  const text = readText(path);
  if (load === undefined)
    throw new SyntaxFaults([
      {
        at: null,
        message:
          ending === ''
            ? 'has a name without an ending'
            : `ends in .${ending}, which is no format of a config file`,
        hint: 'name it .toml, .yaml, .yml, .json, .js, .cjs, .mjs, .ts or .mts',
      },
    ]);
  const parse = await load();
  try {
    return parse(text);
  } catch (error) {
    // Too many nested brackets overflow the stack, because the parsers recurse.
    if (error instanceof RangeError)
      throw new SyntaxFaults([{ at: null, message: 'is nested too deeply', hint: null }]);
    throw error;
  }
}
