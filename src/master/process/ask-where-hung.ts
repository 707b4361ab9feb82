/** The master's end of the thread in a Node.js worker that tells where its main thread is (src/worker/health/hang-locator.ts). Loaded only for programs with a watchdog. */
import net from 'node:net';
import { createLineSplitter } from '../../shared/line-splitter.ts';
import { socketPair } from '../sockets/socket-pair.ts';
import type { WorkerProcess } from './platform.ts';

export interface HangLocator {
  /** Asks for the stack of the main thread. */
  ask(): void;
  close(): void;
}

/** The longest answer that is read: it may come from any program. */
const maxAnswer = 65_536;
const maxFrames = 30;
const maxFrameLength = 300;

/** Connects to the thread in the worker; null if there are no descriptors. `answered` gets the stack, the innermost function first. */
export function openHangLocator(
  worker: Pick<WorkerProcess, 'send'>,
  answered: (stack: readonly string[]) => void,
): HangLocator | null {
  const pair = socketPair();
  if (typeof pair === 'string') return null;
  const [ours, theirs] = pair;
  // Proven dispatch: net.Socket takes a handle as libuv has it.
  const end = new net.Socket({ handle: ours } as net.SocketConstructorOpts);
  const lines = createLineSplitter(maxAnswer);
  end.unref();
  end.setEncoding('utf8');
  end.on('error', () => undefined);
  end.on('data', (text: string) => {
    for (const line of lines.add(text)) {
      const stack = parseStack(line);
      if (stack.length > 0) answered(stack);
    }
  });
  worker.send({ type: 'hangLocator' }, theirs, () => {
    theirs.close();
  });
  return {
    ask() {
      end.write('\n');
    },
    close() {
      end.destroy();
    },
  };
}

/** Parses a stack; empty if the line is not one. */
export function parseStack(line: string): readonly string[] {
  try {
    const frames: unknown = JSON.parse(line);
    if (!Array.isArray(frames) || frames.length > maxFrames) return [];
    return frames.every((frame) => typeof frame === 'string' && frame.length <= maxFrameLength)
      ? (frames as string[])
      : [];
  } catch {
    return [];
  }
}
