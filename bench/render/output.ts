/** Renders how fast tools write the output of a program to files. Pure. */
import type { OutputResults } from '../output/measure.ts';
import { median } from '../statistics.ts';
import { hundredths, spread, table } from './table.ts';

export function outputSections(output?: OutputResults): readonly string[] {
  if (output === undefined) return [];
  const { bytes, lineBytes, results } = output;
  const ofCat = results.find(({ logger }) => logger === 'cat');
  const megabytes = (perSecond: number): string => String(Math.round(perSecond / 1e6));
  return [
    [
      '## Log files',
      '',
      `A program writes ${Math.round(bytes / 1e6)} MB in lines of ${lineBytes} bytes, as fast as they are read. The columns show how many MB per second the program writes, how many MB per`,
      'second reach the log files (in the page cache, not on the disk), and the ratio of the latter to that of `cat`. Timestamps and JSON make lines longer; here',
      'JSON more than doubles their length. JSON is limited by the two cores, which the program, the master and the writing thread share: the master needs about',
      '0.2 µs to copy and check a line.',
      '',
      ...table(
        ['', 'MB/s of the program', 'MB/s in the files', 'of cat'],
        results.map(({ logger, version, bytesPerSecond, growth }) => [
          `${logger} ${version}`,
          spread(bytesPerSecond, megabytes),
          megabytes(median(bytesPerSecond) * growth),
          ofCat === undefined
            ? ''
            : hundredths((median(bytesPerSecond) * growth) / median(ofCat.bytesPerSecond)),
        ]),
      ),
      '',
      ...results.map(({ logger, setup }) => `- **${logger}**: ${setup}`),
    ].join('\n'),
  ];
}
