/** Gives sockets that are held already the length of queue and the options that a listener of the plan asks for. */
import type { ListenerPlan } from '../config/plan.ts';
import { listen } from '../system-calls/syscalls.ts';
import type { BoundListener } from './listener.ts';
import { applyTcpOptions } from './tcp-socket.ts';

/** Those of UNIX have no options, and those of UDP no queue either. Errors: `addressUnusable`, if the kernel refuses one. */
export async function fitSockets(sockets: readonly BoundListener[], wanted: ListenerPlan): Promise<void> {
  const options = 'options' in wanted ? wanted.options : undefined;
  for (const { fd: first, address, slots } of sockets) {
    if (address.type === 'udp' && options === undefined) continue;
    for (const fd of [first, ...slots.otherFds()]) {
      // A second listen(2) does only this.
      await listen(fd, wanted.backlog);
      if (address.type === 'tcp' || options !== undefined) await applyTcpOptions(fd, options);
    }
  }
}
