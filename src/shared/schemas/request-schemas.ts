/** The shapes of what a master is asked, for routes that take a body: the master checks requests with them. */
import * as z from 'zod/mini';
import { type ReloadWait, reloadWaits, workersLimit } from '../control-api.ts';

export interface StopRequest {
  /** True to answer when the stop is complete, and not when it is accepted. */
  readonly wait?: boolean | undefined;
}

export interface ReloadRequest {
  /** The state that the answer waits for; `true` is `serving`. If it is false or absent, the answer comes when the request is accepted. */
  readonly wait?: boolean | ReloadWait | undefined;
}

export interface ScaleRequest {
  /** The number of workers that are wanted. */
  readonly workers: number;
}

export interface UpdateRequest {
  /** True to report only what would be done. */
  readonly dryRun?: boolean | undefined;
}

export const stopRequest: z.ZodMiniType<StopRequest> = z.strictObject({
  wait: z.optional(z.boolean({ error: '`wait` must be true or false' })),
});

const wantedWait = `\`wait\` must be true, false, or one of ${reloadWaits.join(', ')}`;

export const reloadRequest: z.ZodMiniType<ReloadRequest> = z.strictObject({
  wait: z.optional(z.union([z.boolean(), z.enum(reloadWaits)], { error: wantedWait })),
});

/** A decision has no fields: the route says everything. */
export const decideRequest: z.ZodMiniType<object> = z.strictObject({});

const wantedWorkers = `\`workers\` must be a whole number from 1 to ${workersLimit}`;

export const scaleRequest: z.ZodMiniType<ScaleRequest> = z.strictObject({
  workers: z.int(wantedWorkers).check(z.gte(1, wantedWorkers), z.lte(workersLimit, wantedWorkers)),
});

/** An upgrade has no fields: the new version is the one that is installed. */
export const upgradeRequest: z.ZodMiniType<object> = z.strictObject({});

export const updateRequest: z.ZodMiniType<UpdateRequest> = z.strictObject({
  dryRun: z.optional(z.boolean({ error: '`dryRun` must be true or false' })),
});
