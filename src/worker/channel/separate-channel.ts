/**
 * The channel to the master in a process that a wrapper has started with a channel of its own (tsx, nodemon, nyc): that one is
 * `process.channel`, and ours has a descriptor beside it. It speaks what Node.js speaks there: lines of JSON, and an answer to each handle
 * (lib/internal/child_process.js of Node 20, 22, 24 and 26; not documented). A bundle of its own (bundle.ts).
 */
import { Socket } from 'node:net';
import { unwrap, wrap } from '../../shared/protocol.ts';
import { lookForMaster, type Channel, type ChannelEvents } from './channel.ts';
import { readMessage } from './read-message.ts';
import { channelPipe, noteWriteRequest, takePendingHandle } from '../node-internals/channel-handle.ts';

/** Null when this Node.js is not built as we know it. */
export function openSeparateChannel(
  fd: number,
  masterPid: number | null,
  takeLock: () => boolean,
  events: ChannelEvents,
): Channel | null {
  const pipe = channelPipe(fd);
  if (pipe === null) return null;
  noteWriteRequest(pipe);
  // The types do not know the option.
  const options: object = { handle: pipe };
  const socket = new Socket(options);
  let isGone = false;
  let isReading = false;
  let rest = '';

  const gone = (): void => {
    if (isGone) return;
    isGone = true;
    events.gone();
  };
  const looking = masterPid === null ? null : lookForMaster(masterPid, gone);

  function receive(line: string, handle: unknown): void {
    const { text, hasHandle } = openNode(parse(line));
    if (hasHandle) {
      socket.write(`${JSON.stringify({ cmd: `NODE_HANDLE_${handle === null ? 'NACK' : 'ACK'}` })}\n`);
      if (handle === null) return;
    }
    const message = readMessage(unwrap(text));
    if (message !== null) events.message(message, handle);
  }

  function hear(chunk: string): void {
    let handle = pipe === null ? null : takePendingHandle(pipe);
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      // A read ends with the line that a handle has come with.
      const isLast = line === lines.at(-1);
      receive(line, isLast ? handle : null);
      if (isLast) handle = null;
    }
  }

  socket.on('error', gone).on('close', gone);
  socket.unref();

  return {
    read() {
      if (isReading) return true;
      if (!takeLock()) return false;
      isReading = true;
      if (looking !== null) clearInterval(looking);
      socket.setEncoding('utf8').on('data', hear);
      return true;
    },
    isOpen: () => !isGone,
    send: (message) =>
      new Promise((resolve) => {
        if (isGone) {
          resolve();
          return;
        }
        socket.write(`${JSON.stringify(wrap(message))}\n`, () => {
          resolve();
        });
      }),
  };
}

/** What Node.js has put around a message that has a handle. */
function openNode(value: unknown): { readonly text: unknown; readonly hasHandle: boolean } {
  const isAround =
    typeof value === 'object' && value !== null && 'cmd' in value && value.cmd === 'NODE_HANDLE';
  return isAround
    ? { text: 'msg' in value ? value.msg : null, hasHandle: true }
    : { text: value, hasHandle: false };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
