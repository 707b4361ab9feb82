export { migratable, type MigratableOptions } from './migratable.ts';
