/** In which order programs start and stop: one that depends on others starts after them, and is stopped before them. Pure. */

interface Dependent {
  readonly name: string;
  readonly dependsOn: readonly string[];
}

/** The programs that `name` depends on, directly or through others, and `name` itself. */
export function withDependencies(name: string, programs: readonly Dependent[]): readonly string[] {
  const found = new Set<string>();
  const visit = (one: string): void => {
    if (found.has(one)) return;
    found.add(one);
    for (const next of programs.find((program) => program.name === one)?.dependsOn ?? []) visit(next);
  };
  visit(name);
  return [...found];
}

/** The programs that depend on `name` directly. */
export function dependentsOf(name: string, programs: readonly Dependent[]): readonly string[] {
  return programs.filter(({ dependsOn }) => dependsOn.includes(name)).map((program) => program.name);
}

/** Does `action` for each program, at the same time where it can be, but after it is done for those that depend on it. */
export async function dependentsFirst(
  programs: readonly Dependent[],
  action: (name: string) => Promise<void>,
): Promise<void> {
  const begun = new Map<string, Promise<void>>();
  const after = async (name: string): Promise<void> => {
    const dependents = dependentsOf(name, programs);
    // Without a wait where nothing has to be waited for: the first one is begun in this very turn.
    if (dependents.length > 0) await Promise.all(dependents.map(begin));
    await action(name);
  };
  const begin = async (name: string): Promise<void> => {
    const known = begun.get(name) ?? after(name);
    begun.set(name, known);
    return known;
  };
  await Promise.all(programs.map(async ({ name }) => begin(name)));
}
