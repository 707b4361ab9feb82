/** gracefulctl from its sources, as a process. */
import { main } from '../../src/ctl/main.ts';

await main(process.argv.slice(2));
