/**
 * What a worker needs only when it has served for a while: how it ends, and how connections leave it and come to it. A bundle of
 * its own (load-later.ts), so that nobody waits for it at boot.
 */
export { cleanUpAndExit } from './drain/clean-up.ts';
export { drain, tollNow } from './drain/drain.ts';
export { createWebSockets } from './drain/websockets.ts';
export { adoptFrom } from './migration/adoption.ts';
export { createMigration } from './migration/migration.ts';
