/** The loads of expect-reloads.ts as a process, for a server in a network of its own. Its parent asks for more answers, or for the end. */
import { startLoad } from '../helpers/strict-client.ts';
import { clients, loadsOf, paceMs } from './loads.ts';

const port = Number(process.argv[2]);
const loads = loadsOf(
  startLoad({ port, clients, paceMs, mode: 'fresh' }),
  startLoad({ port, clients, paceMs, mode: 'keepAlive' }),
);

process.on('message', (wanted: 'more' | 'stop') => {
  void loads[wanted]().then((tallies) => {
    process.send?.(tallies, () => {
      if (wanted === 'stop') process.disconnect();
    });
  });
});
