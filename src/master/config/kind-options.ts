/** What kind of program it is, how it is reloaded, and when it is its turn: as these options are written, and in a plan. Pure. */

/** As code names them. */
export interface KindOptions {
  /**
   * `server`: it needs an address. `worker`: it has none, such as a queue worker. `oneshot`: it has none either, runs once and ends; programs that
   * depend on it are started when it has ended with one of its `exitcodes`. Only a `server` gets what graceful-run loads into Node.js. Default: `server`.
   */
  readonly type?: 'server' | 'worker' | 'oneshot';
  /**
   * Of a program without an address: at a reload, the new workers start before the old ones stop. False: the old ones stop first, and the new
   * ones are not gone back from. Default true.
   */
  readonly overlap?: boolean;
  /** Programs with a lower number are started first and stopped last, as far as `dependsOn` leaves that open: 0 to 999. Default 999. */
  readonly priority?: number;
}

/** The same, as they are checked. */
export interface KindValues {
  readonly type: string;
  readonly overlap: boolean;
  readonly priority: number;
}

/** In a plan. */
export interface KindPlan {
  readonly type: 'server' | 'worker' | 'oneshot';
  readonly overlaps: boolean;
  readonly priority: number;
}

export const typeWords: readonly string[] = ['server', 'worker', 'oneshot'];
export function compileKind(options: {
  readonly [Name in keyof KindValues]?: KindValues[Name] | undefined;
}): KindPlan {
  const { type } = options;
  return Object.freeze({
    type: type === 'worker' || type === 'oneshot' ? type : 'server',
    overlaps: options.overlap ?? true,
    priority: options.priority ?? 999,
  });
}
