/**
 * All that graceful-run does inside a Node.js program without an address, and only if that has a watchdog: it answers the master, which asks whether the event loop
 * turns, and starts the thread that tells where it hangs. Runs in place of boot.ts.
 */
import { openChannel } from '../channel/channel.ts';
import { findLauncher } from '../launcher/find-launcher.ts';
import { closeHandle } from '../node-internals/listening-handle.ts';
import { openBundle } from './bundle.ts';
import { consume, hideArguments } from './hide-preload.ts';

hideArguments(__filename);
consume(process.env, __filename);
// The event loop of npm turns, whatever the program does that it has started.
if (process.send !== undefined && findLauncher(process.argv[1]) === null) answerQuestions();

function answerQuestions(): void {
  const { pid } = process;
  const openHangLocator = openBundle('hang-locator');
  const channel = openChannel(null, () => true, {
    message(message, handle) {
      if (message.type === 'ping') void channel.send({ type: 'alive', pid });
      else if (message.type === 'hangLocator') startHangLocator(handle);
    },
    gone: () => undefined,
  });
  // Then the master knows that it can ask.
  void channel.send({ type: 'alive', pid });

  /** Without it, nothing is known of a worker that is hung but that it is. */
  function startHangLocator(handle: unknown): void {
    try {
      openHangLocator().startHangLocator(handle);
    } catch {
      closeHandle(handle);
    }
  }
}
