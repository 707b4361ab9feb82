/** The result of a request to reload a scheduled program: each run resolves everything again, so changes apply to the next run. */
import type { ReloadUnderWay } from '../../control/commands.ts';

/** Makes that result. `generation`: the generation of the next run. */
export function nothingToReload(generation: number, wallMs: number): ReloadUnderWay {
  return {
    accepted: { generation },
    outcome: Promise.resolve({
      generation,
      ok: true,
      endedAt: wallMs,
      durationMs: 0,
      failure: null,
      release: null,
      probationMs: 0,
      serving: null,
      rolledBackTo: null,
      remaining: 0,
    }),
  };
}
