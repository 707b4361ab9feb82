/** Checks what the master itself needs beside its control socket: the address of /metrics, and the folder in which it keeps what operators want. Makes nothing. */
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { createSecureContext } from 'node:tls';
import { messageOf, systemCode } from '../../shared/errors.ts';
import type { MetricsPlan } from '../config/options/metrics-options.ts';
import { stateFile } from '../programs/state-file.ts';
import { findAddressHolders } from '../sockets/address-holder.ts';
import { probeAddress } from '../sockets/listener.ts';
import { plainReason } from '../system-calls/plain-reasons.ts';
import { explainHolder } from './check-addresses.ts';
import type { Finding } from './finding.ts';

/** Checks the address of /metrics. `own`: the pids of masters that run this very plan. */
export async function checkMetrics(
  { host, port, tls }: MetricsPlan,
  own: readonly number[],
): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  const listener = { type: 'tcp', name: 'metrics', backlog: 0, host, port } as const;
  const error = await probeAddress(listener);
  const holders = error?.code === 'addressInUse' ? findAddressHolders(listener) : [];
  if (error !== null && !holders.some(({ pid }) => own.includes(pid))) {
    const { message, hint } = error.code === 'addressInUse' ? explainHolder(error, listener, holders) : error;
    found.push({ program: null, option: 'metrics', message, hint });
  }
  if (tls !== null) {
    const problem = problemWithCertificate(tls);
    if (problem !== null)
      found.push({
        program: null,
        option: 'metrics',
        message: problem,
        hint: 'metrics_cert and metrics_key name files in PEM format that belong together',
      });
  }
  return found;
}

function problemWithCertificate({ cert, key }: NonNullable<MetricsPlan['tls']>): string | null {
  try {
    createSecureContext({ cert: readFileSync(cert), key: readFileSync(key) });
    return null;
  } catch (error) {
    return `cannot use ${cert} and ${key}: ${messageOf(error)}`;
  }
}

/** Checks the file that stores what operators want. `name`: the name of the master; null if it is not known before its port is bound. */
export function checkRemembered(name: string | null, environment: NodeJS.ProcessEnv): Finding | null {
  const problem = problemWithState(stateFile(name ?? 'master', environment));
  return problem === null ? null : { program: null, option: 'remember', ...problem };
}

/** Checks the file that stores when runs were looked for. `program`: a program with `if_missed = "run"`. */
export function checkSeenRuns(
  program: string,
  name: string | null,
  environment: NodeJS.ProcessEnv,
): Finding | null {
  const problem = problemWithState(stateFile(`${name ?? 'master'}.runs`, environment));
  return problem === null ? null : { program, option: 'ifMissed', ...problem };
}

function problemWithState(file: string): Pick<Finding, 'message' | 'hint'> | null {
  const problem = problemWithPlace(file);
  if (problem !== null)
    return {
      message: `cannot write ${file}: ${problem}`,
      hint: 'set XDG_STATE_HOME to a directory that the user of graceful-run may write to, or StateDirectory= in the unit of systemd',
    };
  const unread = problemWithContent(file);
  if (unread === null) return null;
  return {
    message: `cannot read ${file}: ${unread}`,
    hint: 'let the user of graceful-run read it, or remove it while the master does not run',
  };
}

function problemWithContent(file: string): string | null {
  try {
    if (!statSync(file).isFile()) return 'it is no regular file';
    accessSync(file, constants.R_OK);
    return null;
  } catch (error) {
    const code = systemCode(error) ?? messageOf(error);
    return code === 'ENOENT' ? null : plainReason(code);
  }
}

/** Says why the file cannot be written. It is replaced as a whole, so its directory has to be writable; a directory that does not exist is made. */
function problemWithPlace(file: string): string | null {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    try {
      if (!statSync(folder).isDirectory()) return `${folder} is not a directory`;
      accessSync(folder, constants.W_OK | constants.X_OK);
      return null;
    } catch (error) {
      const code = systemCode(error) ?? messageOf(error);
      const isMissing = code === 'ENOENT' || code === 'ENOTDIR';
      if (!isMissing || dirname(folder) === folder) return `${folder}: ${plainReason(code)}`;
    }
  }
}
