/**
 * The channel to the master in a process that a wrapper (tsx, nodemon, nyc) has started with a channel of its own: the wrapper's is
 * `process.channel`, and the master's is at another descriptor. It follows the protocol of Node.js: lines of JSON, and an answer to each
 * handle (lib/internal/child_process.js of Node 20, 22, 24 and 26; not documented). A bundle of its own (bundle.ts).
 */
import { Socket } from 'node:net';
import { createLineSplitter } from '../../shared/line-splitter.ts';
import { isRecord, unwrap, wrap } from '../../shared/protocol.ts';
import { lookForMaster, type Channel, type ChannelEvents } from './channel.ts';
import { readMessage } from './read-message.ts';
import { channelPipe, noteWriteRequest, takePendingHandle } from '../node-internals/channel-handle.ts';

/** Opens a channel that is not `process.channel`; null if the internals of this Node.js are not the known ones. */
export function openSeparateChannel(
  fd: number,
  masterPid: number | null,
  takeLock: () => boolean,
  events: ChannelEvents,
): Channel | null {
  const pipe = channelPipe(fd);
  if (pipe === null) return null;
  noteWriteRequest(pipe);
  // The types of Node.js lack the option `handle`.
  const options: object = { handle: pipe };
  const socket = new Socket(options);
  let isGone = false;
  let isReading = false;
  const splitter = createLineSplitter();

  const gone = (): void => {
    if (isGone) return;
    isGone = true;
    events.gone();
  };
  const looking = masterPid === null ? null : lookForMaster(masterPid, gone);

  function receive(line: string, handle: unknown): void {
    const { text, hasHandle } = unwrapHandleMessage(parse(line));
    if (hasHandle) {
      socket.write(`${JSON.stringify({ cmd: `NODE_HANDLE_${handle === null ? 'NACK' : 'ACK'}` })}\n`);
      if (handle === null) return;
    }
    const message = readMessage(unwrap(text));
    if (message !== null) events.message(message, handle);
  }

  function readChunk(chunk: string): void {
    let handle = pipe === null ? null : takePendingHandle(pipe);
    const lines = splitter.add(chunk);
    for (const [index, line] of lines.entries()) {
      // A handle belongs to the last line of what was read with it.
      const isLast = index === lines.length - 1;
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
      socket.setEncoding('utf8').on('data', readChunk);
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

/** Takes off what Node.js puts around a message with a handle. */
function unwrapHandleMessage(value: unknown): { readonly text: unknown; readonly hasHandle: boolean } {
  const isAround = isRecord(value) && value['cmd'] === 'NODE_HANDLE';
  return isAround ? { text: value['msg'] ?? null, hasHandle: true } : { text: value, hasHandle: false };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
