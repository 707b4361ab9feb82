/** How many requests there were, and how many failed. */
export interface Count {
  readonly requests: number;
  readonly failed: number;
  /** The failures by kind, as far as the client distinguishes them. */
  readonly kinds: Readonly<Record<string, number>>;
}
