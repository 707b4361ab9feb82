/** One option has two names: `drainTimeout` in code is `drain_timeout` in a config file. Pure. */

export function optionOfKey(key: string): string {
  return key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

export function keyOfOption(option: string): string {
  return option.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
