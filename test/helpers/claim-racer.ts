/** A process that opens the control socket `web` in a folder whenever its parent says so, and tells how that ended. */
import type { ControlServer } from '../../src/master/control/control-server.ts';
import { GracefulRunError } from '../../src/shared/errors.ts';
import { FakeMaster, openFake } from './fake-master.ts';

export type RaceOrder = { readonly folder: string } | 'close';
export type RaceReport = 'opened' | 'closed' | (string & {});

let server: ControlServer | null = null;

process.on('message', (order: RaceOrder) => {
  void obey(order).then((report) => process.send?.(report));
});

async function obey(order: RaceOrder): Promise<RaceReport> {
  if (order === 'close') {
    await server?.close();
    server = null;
    return 'closed';
  }
  try {
    server = await openFake(order.folder, new FakeMaster());
    return 'opened';
  } catch (error) {
    return error instanceof GracefulRunError ? error.code : String(error);
  }
}
