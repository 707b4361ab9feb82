/** Gives each event of a master its program and its time, and delivers it to all subscribers. */
import type { EventRecord, MasterEvent } from '../shared/events.ts';
import type { Platform } from './process/platform.ts';

export interface EventPublisher {
  /** `program`: the name of the program that the event is about. Default: the name of the master. `time`: in ms since 1970. Default: now. */
  readonly publish: (event: MasterEvent, program?: string, time?: number) => void;
  /** Calls the listener for every event from now on, until the returned function is called. */
  readonly subscribe: (listener: (event: EventRecord) => void) => () => void;
}

/** `observe` is called for each event before the subscribers are. */
export function createEventPublisher(
  masterName: () => string,
  clock: Platform['clock'],
  observe: (event: EventRecord) => void,
): EventPublisher {
  const subscribers = new Set<(event: EventRecord) => void>();

  return {
    publish(event, program = masterName(), time = clock.wallMs()) {
      const record: EventRecord = { ...event, program, time };
      observe(record);
      for (const subscriber of subscribers) {
        try {
          subscriber(record);
        } catch (error) {
          // The error is not the master's: the other subscribers and the rest of the master continue.
          queueMicrotask(() => {
            throw error;
          });
        }
      }
    },
    subscribe(listener) {
      subscribers.add(listener);
      return () => subscribers.delete(listener);
    },
  };
}
