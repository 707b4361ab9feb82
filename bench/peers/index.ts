/** Every tool of the comparison, in the order of the tables. */
import { bare } from './bare.ts';
import { cluster, httpTerminator } from './cluster.ts';
import { gracefulRun } from './graceful-run.ts';
import { gunicorn } from './gunicorn.ts';
import { haproxy } from './haproxy.ts';
import { naught } from './naught.ts';
import { nginx } from './nginx.ts';
import { pm2 } from './pm2.ts';
import type { Tool } from './tool.ts';

export const tools: readonly Tool[] = [
  ...gracefulRun,
  pm2,
  cluster,
  naught,
  httpTerminator,
  nginx,
  haproxy,
  gunicorn,
  bare,
];
