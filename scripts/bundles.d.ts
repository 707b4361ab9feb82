/** Bundles everything, and returns the paths of the files that were compiled in, relative to the root. With `write: false` nothing is written. */
export declare function bundle(options: { readonly write: boolean }): Promise<readonly string[]>;
