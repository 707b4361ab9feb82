/** The boundary to the workers: every message from an IPC channel is checked here before it is acted on. */
import * as z from 'zod/mini';
import { unwrap, type WorkerMessage } from '../../shared/protocol.ts';

/** A pid: at least 1, which is the first process of a PID namespace. */
const pid = z.int().check(z.gte(1));
const count = z.int().check(z.gte(0));
const delay = z.nullable(z.number().check(z.gte(0)));

const workerMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), pid }),
  z.object({ type: z.literal('listensToo'), pid }),
  z.object({ type: z.literal('adopts'), pid }),
  z.object({ type: z.literal('notReadyYet'), pid, reason: z.string().check(z.maxLength(500)) }),
  z.object({ type: z.literal('undeclaredListen'), pid, address: z.string().check(z.maxLength(500)) }),
  z.object({ type: z.literal('wideListen'), pid, address: z.string().check(z.maxLength(500)) }),
  z.object({
    type: z.literal('listenerWanted'),
    pid,
    name: z.string().check(z.maxLength(200)),
    request: count,
  }),
  z.object({
    type: z.literal('addressWanted'),
    pid,
    name: z.string().check(z.maxLength(200)),
    host: z.string().check(z.minLength(1), z.maxLength(255)),
    isIPv6Only: z.boolean(),
  }),
  z.object({ type: z.literal('listenerEmptied'), pid, name: z.string().check(z.maxLength(200)) }),
  z.object({ type: z.literal('narrowListen'), pid, address: z.string().check(z.maxLength(500)) }),
  z.object({ type: z.literal('reloadWanted'), pid }),
  z.object({ type: z.literal('admitted'), pid }),
  z.object({ type: z.literal('notAdmitted'), pid, problem: z.string().check(z.maxLength(500)) }),
  z.object({ type: z.literal('paused'), pid }),
  z.object({ type: z.literal('pauseLapsed'), pid }),
  z.object({ type: z.literal('notPaused'), pid, problem: z.string().check(z.maxLength(500)) }),
  z.object({ type: z.literal('acceptsNoMore'), pid }),
  z.object({ type: z.literal('drains'), pid }),
  z.object({ type: z.literal('alive'), pid }),
  z.object({ type: z.literal('exits'), pid, code: z.int() }),
  z.object({ type: z.literal('servedEnough'), pid, served: count }),
  z.object({ type: z.literal('cleanUpCut'), pid, what: z.string().check(z.maxLength(100)) }),
  z.object({
    type: z.literal('health'),
    pid,
    problem: z.nullable(z.string().check(z.maxLength(500))),
  }),
  z.object({
    type: z.literal('open'),
    pid,
    requests: count,
    connections: count,
    isCleaningUp: z.boolean(),
    load: z.optional(
      z.object({
        served: count,
        serverErrors: count,
        eventLoop: z.object({
          utilization: z.number().check(z.gte(0)),
          delayMeanMs: delay,
          delayP99Ms: delay,
          delayMaxMs: delay,
        }),
      }),
    ),
  }),
  z.object({
    type: z.literal('drained'),
    pid,
    served: count,
    migrated: count,
    cut: count,
    drained: z.optional(count),
    serverErrors: z.optional(count),
  }),
]);

export type ReceivedMessage =
  | { readonly kind: 'ours'; readonly message: WorkerMessage }
  /** A message of the application, or one of another version: it is not for this master. */
  | { readonly kind: 'foreign' }
  | { readonly kind: 'broken'; readonly problem: string };

export function readWorkerMessage(raw: unknown): ReceivedMessage {
  const inner = unwrap(raw);
  if (inner === null) return { kind: 'foreign' };
  const parsed = workerMessage.safeParse(inner);
  return parsed.success
    ? { kind: 'ours', message: parsed.data }
    : { kind: 'broken', problem: z.prettifyError(parsed.error).replaceAll('\n', ' ') };
}
