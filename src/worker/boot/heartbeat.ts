/**
 * Everything that graceful-run does inside a Node.js program without an address, and only if that program has a watchdog: answers the master's
 * question whether the event loop turns, and starts the thread that tells where it hangs. Runs in place of boot.ts.
 */
import { openChannel } from '../channel/channel.ts';
import { findLauncher, findMainScript } from '../launcher/find-launcher.ts';
import { closeHandle } from '../node-internals/listening-handle.ts';
import { openBundle } from './bundle.ts';
import { consume, hideArguments } from './hide-preload.ts';

hideArguments(__filename);
consume(process.env, __filename);
// Not in npm: its event loop turns whatever the program that it has started does.
if (process.send !== undefined && findLauncher(findMainScript(process.argv[1])) === null) answerQuestions();

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
  // Tells the master that it can ask.
  void channel.send({ type: 'alive', pid });

  /** Starts the thread that locates a hang. If that fails, the master can notice that the program hangs, but not where. */
  function startHangLocator(handle: unknown): void {
    try {
      openHangLocator().startHangLocator(handle);
    } catch {
      closeHandle(handle);
    }
  }
}
