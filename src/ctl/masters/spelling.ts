/** How hints write the command that was typed. */
export interface Spelling {
  /** The command as it was typed. */
  readonly typed: string;
  readonly spell: Spell;
}

/** Writes the same command with another name. */
export type Spell = (name: string) => string;
