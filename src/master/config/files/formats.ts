/** Which parser reads a file: its name decides. */
import { type Parsed, SyntaxFaults } from './document.ts';
import { loadModule } from './load-module.ts';
import { parseJson } from './parse-json.ts';
import { parseToml } from './parse-toml.ts';
import { parseYaml } from './parse-yaml.ts';
import { readText } from './read-text.ts';

const textFormats: Readonly<Record<string, (text: string) => Parsed>> = {
  toml: parseToml,
  yaml: parseYaml,
  yml: parseYaml,
  json: parseJson,
};
const moduleFormats: ReadonlySet<string> = new Set(['js', 'cjs', 'mjs', 'ts', 'mts']);

/** Parses the file with the parser for its name. `willRunCode`: called if the file is a program. Throws `SyntaxFaults`. */
export async function parseFile(path: string, willRunCode: () => void): Promise<Parsed> {
  const ending = /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? '';
  if (moduleFormats.has(ending)) {
    willRunCode();
    return loadModule(path);
  }
  const parse = Object.hasOwn(textFormats, ending) ? textFormats[ending] : undefined;
  // Read before the format is checked, so that a missing file is reported as missing.
  const text = readText(path);
  if (parse === undefined)
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
  try {
    return parse(text);
  } catch (error) {
    // Too many nested brackets overflow the stack, because the parsers recurse.
    if (error instanceof RangeError)
      throw new SyntaxFaults([{ at: null, message: 'is nested too deeply', hint: null }]);
    throw error;
  }
}
