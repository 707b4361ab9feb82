/** docs/benchmarks.md, and what the terminal shows of it. Pure. */
import type { Results } from '../results.ts';
import { ownSections } from './own.ts';
import { peerSections } from './peers.ts';

/** The whole page. */
export function renderPage(results: Results): string {
  const { machine, turns, workers, tools, peers, own } = results;
  return [
    '# Benchmarks',
    '',
    'Written by `npm run bench`: do not edit. Everything is measured in one run, the tools in turns, so that what slows the machine for a',
    'while slows all of them; figures are medians, with the least and the greatest in brackets. Clients and servers share the cores.',
    ...(results.isQuick
      ? ['', '**A quick run: it shows that everything works, and compares nothing.**']
      : []),
    '',
    `- ${machine.cores} cores, ${machine.cpu}`,
    `- ${machine.kernel}, Node.js ${machine.node}`,
    `- ${machine.date}`,
    ...(results.note === undefined ? [] : ['', results.note]),
    '',
    '## Against other tools',
    '',
    `Every tool has ${workers} workers, and the same work: an answer with the worker's pid. Each is set up as its own documentation has it`,
    `for graceful reloads. ${turns === 1 ? 'One turn' : `${turns} turns`}; a tool is started anew for each.`,
    '',
    ...tools.map(({ name, version, setup }) => `- **${name}** ${version ?? '(not installed)'}: ${setup}`),
    '',
    '![Failed requests](charts/failed-requests.svg)',
    '',
    '![Connections closed by a reload](charts/closed-connections.svg)',
    '',
    '![Latency while reloading](charts/latency-tail.svg)',
    '',
    ...peerSections(peers).flatMap((section) => [section, '']),
    '## Against bare Node.js',
    '',
    'The bare application, and the same one behind graceful-run with one worker, in turns. A ratio is the median of the ratios of the turns.',
    '',
    ...ownSections(own).flatMap((section) => [section, '']),
    '## To reproduce',
    '',
    '    npm ci && npm ci --prefix bench        # the tools of npm; they are no dependencies of graceful-run',
    '    apt-get install wrk hey nginx haproxy gunicorn',
    '    npm run bench                          # all of it, some 35 minutes; the machine should do nothing else',
    '    npm run bench -- --quick               # some minutes, to see that it runs; writes no page',
    '    npm run bench -- --only failed,slow    # some measures; own-boot and the like are those against bare Node.js; no page either',
    '    npm run bench -- --tools graceful-run,nginx    # some tools; no page either',
    '    npm run bench -- --json figures.json   # the raw figures too, after every measure',
    '    npm run bench -- --from figures.json --out docs    # the page and the charts from figures',
    '',
    'Needs Linux. A tool that is not installed is left out, and the list of the tools says so.',
    '',
  ].join('\n');
}

/** The tables alone; parts that were not measured are left out. */
export function renderTables({ peers, own }: Pick<Results, 'peers' | 'own'>): string {
  return [...peerSections(peers), ...ownSections(own)].join('\n\n');
}
