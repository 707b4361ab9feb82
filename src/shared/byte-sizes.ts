/** Sizes as people write them (`50MB`, `1GB`, `4096`), with units of 1024 as in Supervisor, and as the code holds them: whole bytes. */

const unitBytes = { '': 1, B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 } as const;

/** Parses `4096`, `10KB`, `50MB` or `1.5GB`; null if the text has no such form. */
export function parseBytes(text: string): number | null {
  const [, amount, unit = ''] = /^(\d{1,15}(?:\.\d{1,6})?) ?([KMG]?B)?$/i.exec(text.trim()) ?? [];
  const name = unit.toUpperCase();
  if (amount === undefined || !isUnit(name)) return null;
  const bytes = Math.round(Number(amount) * unitBytes[name]);
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** Formats a number of bytes as it is written in options, rounded: `512MB`, `1.5GB`. */
export function formatBytes(bytes: number): string {
  const unit =
    bytes >= unitBytes.GB ? 'GB' : bytes >= unitBytes.MB ? 'MB' : bytes >= unitBytes.KB ? 'KB' : 'B';
  return `${Number((bytes / unitBytes[unit]).toFixed(unit === 'GB' ? 2 : 0))}${unit}`;
}

function isUnit(text: string): text is keyof typeof unitBytes {
  return Object.hasOwn(unitBytes, text);
}
