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

/** The names of a cycle of dependencies, the first one again at the end; null: there is none. */
export function findCycle(programs: readonly Dependent[]): readonly string[] | null {
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): readonly string[] | null => {
    const at = path.indexOf(name);
    if (at !== -1) return [...path.slice(at), name];
    if (done.has(name)) return null;
    for (const next of programs.find((program) => program.name === name)?.dependsOn ?? []) {
      const cycle = visit(next, [...path, name]);
      if (cycle !== null) return cycle;
    }
    done.add(name);
    return null;
  };
  for (const { name } of programs) {
    const cycle = visit(name, []);
    if (cycle !== null) return cycle;
  }
  return null;
}
