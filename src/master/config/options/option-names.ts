/** One option has two names: `drainTimeout` in code is `drain_timeout` in a config file. Pure. */

/** The keys that are not spelled like their options. */
const renamed: Readonly<Record<string, string>> = {
  cwd: 'directory',
  environmentFile: 'env_file',
  stopSignal: 'stopsignal',
};

/** Spells a word of a config file in the way of code. Of a renamed key, this is not the option. */
export function optionOfKey(key: string): string {
  return key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

export function keyOfOption(option: string): string {
  return renamed[option] ?? option.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
