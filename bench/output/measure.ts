/** How fast the output of a program gets into files: from the first byte to the last, in the page cache, with rotation where the tool has it. */
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../test/helpers/eventually.ts';
import type { OutputEffort } from '../effort.ts';
import { createManagerHome } from '../programs/manager-home.ts';
import { loggers, type Logger } from './loggers.ts';

export interface OutputResult {
  readonly logger: string;
  readonly version: string;
  readonly setup: string;
  /** How many of the program's own bytes were written per second: one figure for each round. */
  readonly bytesPerSecond: readonly number[];
  /** How many bytes get into the files for each byte of the program: more than one if something is added to each line. */
  readonly growth: number;
}

export interface OutputResults {
  readonly bytes: number;
  readonly lineBytes: number;
  readonly results: readonly OutputResult[];
}

const lineBytes = 100;
const blockBytes = 8 * 1024 * 1024;
const patienceMs = 120_000;

export async function measureOutput({ rounds, bytes }: OutputEffort): Promise<OutputResults> {
  const present = loggers.flatMap((logger) => {
    const version = logger.version();
    return version === null ? [] : [{ logger, version, figures: [] as OneRound[] }];
  });
  for (let round = 0; round < rounds; round += 1)
    for (const { logger, figures } of present) {
      console.error(`output: ${logger.name}`);
      figures.push(await measureOne(logger, bytes));
    }
  return {
    bytes,
    lineBytes,
    results: present.map(({ logger: { name, setup }, version, figures }) => ({
      logger: name,
      version,
      setup,
      bytesPerSecond: figures.map(({ bytesPerSecond }) => bytesPerSecond),
      growth: figures[0]?.growth ?? 1,
    })),
  };
}

interface OneRound {
  readonly bytesPerSecond: number;
  readonly growth: number;
}

/** Measures one tool with a program that writes `bytes`. */
async function measureOne(logger: Logger, bytes: number): Promise<OneRound> {
  const home = createManagerHome(() => ({}));
  try {
    const [block, script, go, done, logs] = ['block', 'writer.sh', 'go', 'done', 'logs'].map((name) =>
      join(home.path, name),
    ) as [string, string, string, string, string];
    mkdirSync(logs);
    const line = `${'x'.repeat(lineBytes - 1)}\n`;
    const blockLines = Math.floor(blockBytes / lineBytes);
    writeFileSync(block, line.repeat(blockLines));
    const blocks = Math.ceil(bytes / (blockLines * lineBytes));
    const lines = blocks * blockLines;
    // The program waits, so that no start is measured, and stays, so that no tool starts it again.
    writeFileSync(
      script,
      [
        `until [ -e ${go} ]; do sleep 0.01; done`,
        `i=0; while [ $i -lt ${blocks} ]; do cat ${block}; i=$((i + 1)); done`,
        `: > ${done}`,
        'exec sleep 1000',
        '',
      ].join('\n'),
    );
    const running = await logger.start(home, script, logs);
    try {
      // Once there is a log file, the tool has opened it.
      await eventually('a log file', () => sizeOf(logs, true) > 0, patienceMs);
      const begunAt = performance.now();
      writeFileSync(go, '');
      await eventually('everything written', () => existsSync(done) && isWhole(logs, lines), patienceMs);
      const bytesPerSecond = (lines * lineBytes * 1_000) / (performance.now() - begunAt);
      return { bytesPerSecond, growth: sizeOf(logs, false) / (lines * lineBytes) };
    } finally {
      await running.stop();
    }
  } finally {
    home.remove();
  }
}

/** Whether all lines are in the files. A tool that adds something to each line adds the same number of bytes to all. */
function isWhole(logs: string, lines: number): boolean {
  const size = sizeOf(logs, false);
  return size >= lines * lineBytes && size % lines === 0;
}

/** Returns the size of the folder's files in bytes or, with `countsFiles`, their number. */
function sizeOf(folder: string, countsFiles: boolean): number {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && !['config', 'lock', 'state'].includes(entry.name))
    .map((entry) =>
      countsFiles ? 1 : (statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0),
    )
    .reduce((sum, one) => sum + one, 0);
}
