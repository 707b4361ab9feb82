/**
 * What workers write to stderr, on its way to the master's own. It must not know who wrote it, and a reader that has
 * stopped may neither block the master nor fill its memory: then text is dropped, and that is said.
 */
import type { LogStream } from './log.ts';

/** What a reader may leave unread before text is dropped. */
const unreadLimitBytes = 1024 * 1024;

/** Makes what passes text on to `stream`. */
export function passOnOutput(stream: LogStream): (text: string) => void {
  let droppedLength = 0;
  return (text) => {
    if ((stream.writableLength ?? 0) > unreadLimitBytes) {
      droppedLength += text.length;
      return;
    }
    if (droppedLength > 0) {
      stream.write(
        `graceful-run: ${droppedLength} characters of the workers' output were dropped: nobody read them\n`,
      );
      droppedLength = 0;
    }
    stream.write(text);
  };
}
