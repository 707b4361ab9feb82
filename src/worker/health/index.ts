export { createHealthGate, type HealthGate } from './gate.ts';
