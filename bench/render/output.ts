/** Renders how fast tools write the output of a program to files. Pure. */
import type { OutputResults } from '../output/measure.ts';
import { median } from '../statistics.ts';
import { spread, table, tenths } from './table.ts';

export function outputSections(output?: OutputResults): readonly string[] {
  if (output === undefined) return [];
  const { bytes, lineBytes, results } = output;
  const ofCat = results.find(({ logger }) => logger === 'cat');
  const megabytes = (perSecond: number): string => String(Math.round(perSecond / 1e6));
  return [
    [
      '## Log files',
      '',
      `How fast ${Math.round(bytes / 1e6)} MB in lines of ${lineBytes} bytes, which a program writes as fast as they are taken, get into log files: MB of the program per second, into the page`,
      'cache, and how much that is of what `cat` does.',
      '',
      ...table(
        ['', 'MB/s', 'of cat'],
        results.map(({ logger, version, bytesPerSecond }) => [
          `${logger} ${version}`,
          spread(bytesPerSecond, megabytes),
          ofCat === undefined ? '' : tenths(median(bytesPerSecond) / median(ofCat.bytesPerSecond)),
        ]),
      ),
      '',
      ...results.map(({ logger, setup }) => `- **${logger}**: ${setup}`),
    ].join('\n'),
  ];
}
