/**
 * The component schemas of the OpenAPI description: the zod schemas with which requests and answers are checked, described by the doc
 * comments of their types.
 */
import * as z from 'zod/mini';
import { describe as describeEvent } from '../../src/shared/describe-event.ts';
import type { EventRecord } from '../../src/shared/events.ts';
import * as answers from '../../src/shared/schemas/answer-schemas.ts';
import * as events from '../../src/shared/schemas/event-schemas.ts';
import * as requests from '../../src/shared/schemas/request-schemas.ts';
import { exampleEvents } from '../../test/helpers/example-events.ts';
import { type Documented, readDocComments } from './doc-comments.ts';

/** A JSON Schema, with the keywords that this file reads. */
export interface Schema {
  $ref?: string;
  type?: string | readonly string[];
  description?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: readonly Schema[];
  oneOf?: readonly Schema[];
  [keyword: string]: unknown;
}

type RequestName =
  'StopRequest' | 'ReloadRequest' | 'DecideRequest' | 'ScaleRequest' | 'UpdateRequest' | 'UpgradeRequest';
type AnswerName =
  | 'MasterStatus'
  | 'ProgramList'
  | 'Status'
  | 'WorkerStatus'
  | 'DrainingStatus'
  | 'EventLoopStatus'
  | 'LoadStatus'
  | 'PendingRestart'
  | 'EmptySlot'
  | 'WorkerCrash'
  | 'ReloadAccepted'
  | 'ReloadResult'
  | 'ScheduleStatus'
  | 'Decided'
  | 'Scaled'
  | 'StopAccepted'
  | 'UpdateResult'
  | 'PlanDifference'
  | 'ProgramChange'
  | 'ProgramLoad'
  | 'UpdatedProgram'
  | 'ErrorAnswer'
  | 'LogLine'
  | 'LogNotice'
  | 'LogRecord'
  | 'PlanProblem'
  | 'Failure'
  | 'Outcome'
  | 'Release'
  | 'WorkerPhase';

export type ComponentName = RequestName | AnswerName | 'EventRecord';

const requestSchemas: Readonly<Record<RequestName, z.core.$ZodType>> = {
  StopRequest: requests.stopRequest,
  ReloadRequest: requests.reloadRequest,
  DecideRequest: requests.decideRequest,
  ScaleRequest: requests.scaleRequest,
  UpdateRequest: requests.updateRequest,
  UpgradeRequest: requests.upgradeRequest,
};

const answerSchemas: Readonly<Record<AnswerName, z.core.$ZodType>> = {
  MasterStatus: answers.masterStatus,
  ProgramList: answers.programList,
  Status: answers.status,
  WorkerStatus: answers.workerStatus,
  DrainingStatus: answers.drainingStatus,
  EventLoopStatus: answers.eventLoopStatus,
  LoadStatus: answers.loadStatus,
  PendingRestart: answers.pendingRestart,
  EmptySlot: answers.emptySlot,
  WorkerCrash: answers.workerCrash,
  ReloadAccepted: answers.reloadAccepted,
  ReloadResult: answers.reloadResult,
  ScheduleStatus: answers.scheduleStatus,
  Decided: answers.decided,
  Scaled: answers.scaled,
  LogLine: answers.logLine,
  LogNotice: answers.logNotice,
  LogRecord: answers.logRecord,
  StopAccepted: answers.stopAccepted,
  UpdateResult: answers.updateResult,
  PlanDifference: answers.planDifference,
  ProgramChange: answers.programChange,
  ProgramLoad: answers.programLoad,
  UpdatedProgram: answers.updatedProgram,
  ErrorAnswer: answers.errorAnswer,
  PlanProblem: answers.planProblem,
  Failure: events.failure,
  Outcome: events.outcome,
  Release: events.release,
  WorkerPhase: events.workerPhase,
};

/**
 * Descriptions of fields whose types have no comment, because the name says enough to a reader of the code. The key is the name of the field, or of
 * its component and the field.
 */
const fields: Readonly<Record<string, string>> = {
  program: "The program's name.",
  generation: 'The number of the generation: 1, 2, 3 …',
  slot: "The worker's place among the workers of its generation: 0, 1 …",
  pid: 'The process id; null if there is no process.',
  version: 'The version of graceful-run.',
  type: '`tcp`: it has a host and a port. `unix`: it has a path.',
  socket: 'The name of the socket; null if it has none.',
  host: 'The IP address or host name; null if it has none.',
  port: 'The TCP port; null if it has none.',
  file: 'The path of the config file.',
  time: 'Milliseconds since 1970.',
  event: 'What happened.',
  release: 'What the generation runs; null if that is not known.',
  failure: 'Why it failed; null if it did not.',
  code: 'A code of docs/errors.md.',
  message: 'One sentence for people.',
  hint: 'What to do about it; null if there is nothing to say.',
  problem: 'What went wrong, in words.',
  address: 'The address that the program asked for.',
  control: 'The path of the control socket; null if there is none.',
  cause: 'Where the request came from.',
  outcome: 'How its process ended.',
  pids: 'The process ids.',
  path: 'The path of the file, or of a UNIX socket; null if there is none.',
  paths: 'The paths of files and directories.',
  uptimeMs: 'How long it has been running, in ms.',
  durationMs: 'How long it took, in ms.',
  requests: 'Requests in flight; null if that is not known.',
  connections: 'Open connections; null if that is not known.',
  reason: 'Why.',
  added: 'Names of the added programs.',
  removed: 'Names of the removed programs.',
  changed: 'Programs that differ.',
  failures: 'Failures in a row.',
  successor: 'The process id of the new worker; null if it has none.',
  figure: 'What was found: bytes, ms or requests.',
  before: 'What it was before; null if there was none.',
  how: '`running`: it ran already. `started`: the command has started it. `changed`: it has taken over from another one.',
  silentMs: 'Since its last sign of life, in ms.',
  boundMs: 'How long it may be silent, in ms.',
  isTriggered: 'It has said so itself.',
  stack: 'Where its JavaScript is, the innermost function first; empty if that is not known.',
  doing: '`runs`, or the function of the kernel in which its main thread waits; null if that is not known.',
  isHung: 'It gives no sign of life, and is to be replaced.',
  bound: 'The limit, in the same unit.',
  retries: 'How many failed starts are followed by another one.',
  inMs: 'How long until then, in ms.',
  delayMs: 'How long until then, in ms.',
  signal: 'The signal that ended it; null: it exited by itself.',
  why: '`exited`: it ended by itself and is not to be started again. `crashLoop`: too many workers have died.',
  isExpected: 'The exit code is one of `exitcodes`.',
  'Failure.errorRate.requests': 'Requests that were counted.',
  'Failure.errorRate.previous.requests': 'Requests that were counted.',
  'MasterStatus.pid': "The master's process id.",
  'Status.state':
    'The state of the program in the words of Supervisor. A client shows `UNKNOWN` for a program of a master that does not answer.',
  'Status.phase':
    'What the program does. `restarting`: no worker accepts connections, because all have crashed. `backoff`: its start has failed, and is tried again. `exited`: its workers have ended by themselves and are not started again. `failed`: it was given up. `scheduled`: it waits for the time of its next run.',
  'Status.retry': 'When its start, which has failed, is tried again; null if it is not.',
  'Status.orphans':
    'The workers of a master that was killed, which serve on the listeners of this program until a generation of its own does, or their time is over; otherwise null.',
  'Status.orphans.remainingMs': 'For how long they serve at most, in ms.',
  'Status.emptySlots': 'Slots whose worker has ended and is not replaced.',
  'Status.exit': 'How its last worker ended, if the program has exited.',
  'ScheduleStatus.expression': 'The cron expression.',
  'ScheduleStatus.run.startedAt': 'When it began, in ms since 1970.',
  'ScheduleStatus.run.cause': 'Why it runs: `schedule`, `missed` or `request`.',
  'ScheduleStatus.lastRun.startedAt': 'When it began, in ms since 1970.',
  'ScheduleStatus.lastRun.result': 'How it ended.',
  'EmptySlot.outcome': 'How the worker ended; null if it was not ready, or could not be started.',
  'EmptySlot.isGivenUp': 'Too many workers have died (`crash_loop`).',
  'Status.rollout.generation': 'The new generation.',
  'Status.rollout.serving': 'How many of its workers accept connections.',
  'Status.rollout.workers': 'How many workers it will have.',
  'Status.rollout.isCanary': 'The first of them serve alone for a time.',
  'Status.rollout.nextInMs': 'Until the next workers are started, in ms; null: they are being started.',
  'Status.errors.current': 'Those of the new generation.',
  'Status.errors.previous': 'Those of the old one in the same time.',
  'RolloutAdvancedEvent.serving': 'How many of its workers serve.',
  'RolloutAdvancedEvent.workers': 'How many workers it will have.',
  'RolloutAdvancedEvent.pauseMs': 'Until the next workers are started, in ms.',
  'Status.probation.previous': 'The generation that takes over again if the new one crashes.',
  'Status.probation.remainingMs': 'How long the probation lasts, in ms.',
  'Status.command': 'The command that its workers run, one word per item.',
  'Status.listeners': 'The sockets that the master holds for it, in the order in which workers inherit them.',
  'Status.listeners.name': "The listener's name.",
  'Status.workersWanted': 'The number of workers that it should have.',
  'Status.reloadPending': 'Another reload follows the current one.',
  'ReloadResult.ok': 'The generation serves.',
  'Scaled.workers': 'The number of workers that are wanted now.',
  'Scaled.before': 'The number of workers that were wanted before.',
  'StopAccepted.pid': "The master's process id.",
  'UpdatedProgram.done': 'What was done to it.',
  'ErrorAnswer.error': 'What went wrong.',
  'PlanProblem.line': 'The line in the file, from 1; null if there is none to name.',
  'PlanProblem.column': 'The column in the line, from 1; null if there is none to name.',
  'Outcome.code': 'The exit code; null if a signal ended it.',
  'Outcome.signal': 'The signal that ended it; null if it exited.',
  'MasterStartedEvent.pid': "The master's process id.",
  'UpgradeWaitsEvent.until': 'What it waits for: `shop is being reloaded`.',
  'MasterUpgradedEvent.from': 'The version of graceful-run until now.',
  'MasterUpgradedEvent.nodeFrom': 'The version of Node.js until now.',
  'MasterUpgradedEvent.node': 'The version of Node.js that runs the master now.',
  'ControlSocketChangedEvent.change': 'What happened to the socket.',
  'ListenerBoundEvent.listener': "The listener's name.",
  'HookEndedEvent.hook': 'The name of the hook.',
  'HookEndedEvent.output': 'The last lines that it wrote, at most 20.',
  'WebhookFailedEvent.about': 'The name of the event.',
  'WebhookFailedEvent.attempts': 'How often it was tried.',
  'WebhooksDroppedEvent.count': 'The number of events that were not sent.',
  'HooksDroppedEvent.count': 'The number of hooks that were not run.',
  'MetricsServedEvent.isSecure': 'It is served over HTTPS.',
  'ListenerShutDownEvent.listener': "The listener's name.",
  'ListenerKeptEvent.killed': 'The processes were killed.',
  'GenerationStartedEvent.workers': 'The number of its workers.',
  'GenerationSettledEvent.durationMs': 'The time since it began to serve, in ms.',
  'GenerationRolledBackEvent.to': 'The generation that serves again.',
  'ReloadRequestedEvent.pending': 'Another reload is running; this one follows it.',
  'StopRequestedEvent.urgent': 'The workers are killed, because this is the second request.',
  'RunStartedEvent.cause':
    'Why it runs: `schedule`: its time has come; `missed`: for runs that were missed; `request`.',
  'RunEndedEvent.result': 'How the run ended.',
  'RunEndedEvent.nextAt': 'When the next one is due, in ms since 1970; null: never.',
  'RunTimedOutEvent.timeoutMs': 'How long a run may take, in ms.',
  'RunSkippedEvent.programs': 'Names of the programs that do not serve.',
  'RunsMissedEvent.isMadeUp': 'The program runs once for all of them.',
  'StartWaitsEvent.programs': 'Names of the programs that have to serve first.',
  'PlanRefusedEvent.problems': 'All problems of the plan.',
  'WorkerCountChangedEvent.fromCount': 'The number of workers before.',
  'WorkerCountChangedEvent.toCount': 'The number of workers that are wanted now.',
  'RestartScheduledEvent.delayMs': 'Until the worker is started again, in ms.',
  'WorkerCleanUpCutEvent.what': 'What was not finished.',
  'StillDrainingEvent.stopping': 'True if the program stops; false if only old workers drain.',
  'StillDrainingEvent.workers': 'The number of workers that are still draining.',
  'WorkerTerminatedEvent.signal': 'The name of the signal.',
  'WorkerExitedEvent.served': 'Requests that it served; null if it could not report that.',
  'WorkerExitedEvent.cut': 'Connections that were closed during a request; null if it could not report that.',
  'AddressLeftOutEvent.listener': "The listener's name.",
  'ListenerRescuedEvent.listener': "The listener's name.",
  'AddressLeftOutEvent.address': 'The address that the machine does not have.',
  'AddressBusyEvent.patienceMs': 'How long binding is retried, in ms.',
  'NameBusyEvent.holder': 'The process id of the other master.',
  'PortChangedEvent.source': 'Where PORT is set: in the environment, or in the environment file.',
};

/** Returns all component schemas by their names. @throws if a field has no description. */
export function componentSchemas(): Readonly<Record<string, Schema>> {
  const documented = readDocComments(
    ['control-api', 'events', 'schemas/request-schemas'].map(
      (file) => new URL(`../../src/shared/${file}.ts`, import.meta.url),
    ),
  );
  const eventNames = Object.keys(events.eventShapes);
  const eventSchemas = Object.fromEntries(
    Object.entries(events.eventShapes).map(([name, shape]) => [componentOfEvent(name), shape]),
  );
  const schemas: Record<string, Schema> = {
    ...convert(requestSchemas, 'input'),
    ...convert({ ...answerSchemas, ...eventSchemas }, 'output'),
  };
  const undescribed: string[] = [];
  const sourceOf = new Map(eventNames.map((event) => [componentOfEvent(event), event]));
  for (const [name, schema] of Object.entries(schemas)) {
    const source = documented.get(sourceOf.get(name) ?? name);
    describe(schema, source, name, undescribed);
    if (source?.text != null) schema.description = source.text;
  }
  for (const event of exampleEvents) {
    const schema = schemas[componentOfEvent(event.event)];
    if (schema === undefined) continue;
    schema.description ??= `For example: ${describeEvent(event)}`;
    schema['examples'] = [{ ...event, program: 'shop', time: 1_795_308_017_086 } satisfies EventRecord];
  }
  if (undescribed.length > 0) throw new Error(`fields without a description: ${undescribed.join(', ')}`);
  return { ...schemas, EventRecord: eventRecord(eventNames) };
}

/** Returns the name of an event's component: `workerStarted` → `WorkerStartedEvent`. */
export function componentOfEvent(event: string): string {
  return `${event.slice(0, 1).toUpperCase()}${event.slice(1)}Event`;
}

export function refTo(component: string): Schema {
  return { $ref: `#/components/schemas/${component}` };
}

function eventRecord(names: readonly string[]): Schema {
  return {
    description: 'Something that happened. A later version may add events and fields.',
    oneOf: names.map((name) => refTo(componentOfEvent(name))),
    discriminator: {
      propertyName: 'event',
      mapping: Object.fromEntries(names.map((name) => [name, refTo(componentOfEvent(name)).$ref])),
    },
  };
}

function convert(
  shapes: Readonly<Record<string, z.core.$ZodType>>,
  io: 'input' | 'output',
): Readonly<Record<string, Schema>> {
  const registry = z.registry<{ id: string }>();
  for (const [id, shape] of Object.entries(shapes)) registry.add(shape, { id });
  const { schemas } = z.toJSONSchema(registry, { io, uri: (id) => `#/components/schemas/${id}` });
  const plain = JSON.parse(JSON.stringify(schemas)) as Record<string, Schema>;
  return Object.fromEntries(Object.entries(plain).map(([name, schema]) => [name, tidy(schema, io)]));
}

/** Removes what zod adds by itself. Answers may get fields in later versions; requests with an unknown field are refused. */
function tidy(schema: Schema, io: 'input' | 'output'): Schema {
  const tidied: Schema = { ...schema };
  delete tidied['$schema'];
  delete tidied['$id'];
  if (tidied.type === 'integer') {
    if (tidied['minimum'] === Number.MIN_SAFE_INTEGER) delete tidied['minimum'];
    if (tidied['maximum'] === Number.MAX_SAFE_INTEGER) delete tidied['maximum'];
  }
  if (io === 'output') {
    delete tidied['default'];
    if (tidied.type === 'object') delete tidied['additionalProperties'];
  }
  if (tidied.properties !== undefined) {
    tidied.properties = Object.fromEntries(
      Object.entries(tidied.properties).map(([name, property]) => [name, tidy(property, io)]),
    );
  }
  if (tidied.items !== undefined) tidied.items = tidy(tidied.items, io);
  if (tidied.anyOf === undefined) return tidied;
  const { anyOf, ...others } = tidied;
  const [first, second, ...more] = anyOf.map((one) => tidy(one, io));
  const isNullable = second?.type === 'null' && more.length === 0;
  if (isNullable && typeof first?.type === 'string' && !('enum' in first) && first.properties === undefined)
    return { ...others, ...first, type: [first.type, 'null'] };
  return { ...others, anyOf: [first, second, ...more].filter((one) => one !== undefined) };
}

/** Adds the doc comments. A field that refers to another component may rely on that one's description. */
function describe(
  schema: Schema,
  documented: Documented | undefined,
  path: string,
  undescribed: string[],
): void {
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const source = documented?.fields.get(name);
    const place = `${path}.${name}`;
    const text = fields[place] ?? source?.text ?? fields[name];
    if (text !== undefined && !('const' in property)) property.description = text;
    else if (!isComponent(property) && !('const' in property)) undescribed.push(place);
    describe(property, source, place, undescribed);
  }
  if (schema.items !== undefined) describe(schema.items, documented, path, undescribed);
  for (const one of schema.anyOf ?? []) describe(one, documented, path, undescribed);
}

function isComponent({ $ref, anyOf, items }: Schema): boolean {
  return (
    $ref !== undefined || (anyOf?.some(isComponent) ?? false) || (items !== undefined && isComponent(items))
  );
}
