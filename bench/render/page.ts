/** Renders docs/benchmarks.md, and the tables for the terminal. Pure. */
import type { Figures, Results } from '../results.ts';
import { foreignSections } from './foreign.ts';
import { outputSections } from './output.ts';
import { ownSections } from './own.ts';
import { peerSections } from './peers.ts';
import { programsSections } from './programs.ts';

/** Renders the whole page. */
export function renderPage(results: Results): string {
  const { machine, turns, workers, tools, peers, own, programs, largerPrograms, foreign, output } = results;
  return [
    '# Benchmarks',
    '',
    'Written by `npm run bench`; do not edit. All tools are measured in one interleaved run, so that a temporary slowdown affects all of them',
    'equally. Figures are medians, with the minimum and maximum in brackets. Clients and servers share the cores.',
    ...(results.isQuick
      ? ['', '**A quick run: it shows that everything works, but its figures must not be compared.**']
      : []),
    '',
    `- ${machine.cores} cores, ${machine.cpu}`,
    `- ${machine.kernel}, Node.js ${machine.node}`,
    `- ${machine.date}`,
    ...(results.note === undefined ? [] : ['', results.note]),
    '',
    '## Against other tools',
    '',
    `Unless the list says otherwise, a tool has ${workers} workers. All do the same: respond with the worker's pid. Each tool is configured for graceful reloads as its own`,
    `documentation recommends. ${turns === 1 ? 'There is one round' : `There are ${turns} rounds, unless a section says otherwise`}; each tool is restarted for each round.`,
    '',
    ...tools.map(({ name, version, setup }) => `- **${name}** ${version ?? '(not installed)'}: ${setup}`),
    '',
    'Paths such as `bench/apps/serve.cjs` on this page are in the repository of graceful-run, not in its package.',
    '',
    '![Failed requests](charts/failed-requests.svg)',
    '',
    '![Connections closed by a reload](charts/closed-connections.svg)',
    '',
    '![Latency while reloading](charts/latency-tail.svg)',
    '',
    ...peerSections(peers).flatMap((section) => [section, '']),
    ...programsSections(programs, largerPrograms).flatMap((section) => [section, '']),
    ...foreignSections(foreign).flatMap((section) => [section, '']),
    ...outputSections(output).flatMap((section) => [section, '']),
    '## Against bare Node.js',
    '',
    'The application alone, and the same application under graceful-run with one worker, in alternating rounds. Each ratio is the median of the',
    'ratios of the rounds.',
    '',
    ...ownSections(own).flatMap((section) => [section, '']),
    '## Reproduce it',
    '',
    '    npm ci && npm ci --prefix bench        # the tools from npm; they are not dependencies of graceful-run',
    '    apt-get install wrk hey nginx haproxy gunicorn supervisor puma php-fpm runit daemontools',
    '    npm run bench                          # everything, about two hours on an otherwise idle machine',
    '    npm run bench -- --quick               # a few minutes, to see that everything works',
    '    npm run bench -- --only failed,slow    # some of the measurements: programs and larger-programs run many programs, own-boot and the like compare with bare Node.js',
    '    npm run bench -- --tools graceful-run,nginx    # some of the tools',
    '    npm run bench -- --json figures.json   # also writes the raw figures, after every measurement',
    '    npm run bench -- --from figures.json --out docs    # writes the page and the charts from raw figures',
    '    npm run bench -- --from docs/charts/figures.json --from part.json --out docs    # this page, from the figures in the repository and what was measured again later',
    '',
    'Linux only. Tools that are not installed are left out, and the list of tools says so. Only a complete run changes this page by itself.',
    '',
  ].join('\n');
}

/** Renders only the tables; measurements without figures are left out. */
export function renderTables({ peers, own, programs, largerPrograms, foreign, output }: Figures): string {
  return [
    ...peerSections(peers),
    ...programsSections(programs, largerPrograms),
    ...foreignSections(foreign),
    ...outputSections(output),
    ...ownSections(own),
  ].join('\n\n');
}
