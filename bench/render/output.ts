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
      `How fast ${Math.round(bytes / 1e6)} MB in lines of ${lineBytes} bytes, which a program writes as fast as they are taken, get into log files, in the page cache: MB of the program per`,
      'second, MB per second that are written to the files, and how much the latter is of what `cat` writes. Times and JSON make lines longer: JSON to more than twice their length here.',
      'On two cores that is the limit of JSON: the program, the master and the thread that writes share them, and to copy and check a line takes the master about 0.2 µs.',
      '',
      ...table(
        ['', 'MB/s of the program', 'MB/s in the files', 'of cat'],
        results.map(({ logger, version, bytesPerSecond, growth }) => [
          `${logger} ${version}`,
          spread(bytesPerSecond, megabytes),
          megabytes(median(bytesPerSecond) * growth),
          ofCat === undefined ? '' : tenths((median(bytesPerSecond) * growth) / median(ofCat.bytesPerSecond)),
        ]),
      ),
      '',
      ...results.map(({ logger, setup }) => `- **${logger}**: ${setup}`),
    ].join('\n'),
  ];
}
