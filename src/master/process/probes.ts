/** Checks from outside whether a program can serve: by connecting to a port, requesting a URL, or running a command. Each call makes one attempt. */
import type { ChildProcess } from 'node:child_process';
import { connect } from 'node:net';
import { messageOf, systemCode } from '../../shared/errors.ts';
import { formatAddress } from '../../shared/format-address.ts';
import type { Probe, StartedProbe } from './platform.ts';
import { sendSignal } from './send-signal.ts';
import { startChild } from './start-child.ts';

/** How long one attempt over the network may take. */
const patienceMs = 5_000;

export function startProbe(probe: Probe): StartedProbe {
  switch (probe.kind) {
    case 'tcp':
      return tryToConnect(probe.port);
    case 'http':
      return ask(probe);
    case 'exec':
      return run(probe);
  }
}

function tryToConnect(port: number): StartedProbe {
  const socket = connect({ host: '127.0.0.1', port, timeout: patienceMs });
  const outcome = new Promise<string | null>((resolve) => {
    const failed = (why: string): void => {
      socket.destroy();
      resolve(`cannot connect to 127.0.0.1:${port}: ${why}`);
    };
    socket.once('connect', () => {
      socket.destroy();
      resolve(null);
    });
    socket.once('timeout', () => {
      failed('no answer');
    });
    socket.once('error', (error) => {
      failed(systemCode(error) ?? messageOf(error));
    });
  });
  return { outcome, cancel: () => socket.destroy() };
}

function ask({ host, port, path, fromPort, userAgent }: Extract<Probe, { kind: 'http' }>): StartedProbe {
  const where = `http://${formatAddress(host, port)}${path}`;
  // Loaded only for probes that need it.
  const { get } = process.getBuiltinModule('node:http');
  let cancel = (): void => undefined;
  const outcome = new Promise<string | null>((resolve) => {
    const from = fromPort === null ? {} : { localAddress: host, localPort: fromPort };
    const headers = userAgent === null ? {} : { 'User-Agent': userAgent };
    const options = { host, port, path, ...from, headers, agent: false, timeout: patienceMs } as const;
    const request = get(options, (response) => {
      const { statusCode = 0 } = response;
      request.destroy();
      resolve(statusCode >= 200 && statusCode < 400 ? null : `${where} answered ${statusCode}`);
    });
    request.once('timeout', () => {
      resolve(`${where} did not answer within ${patienceMs / 1_000}s`);
      request.destroy();
    });
    request.on('error', (error) => {
      resolve(`cannot ask ${where}: ${systemCode(error) ?? messageOf(error)}`);
    });
    cancel = () => {
      request.destroy();
    };
  });
  return { outcome, cancel };
}

function run({ command, start, cwd }: Extract<Probe, { kind: 'exec' }>): StartedProbe {
  const { file, args, environment } = start;
  let child: ChildProcess;
  try {
    child = startChild({ file, args, cwd, environment, stdio: ['ignore', 'ignore', 'ignore'] });
  } catch (error) {
    return {
      outcome: Promise.resolve(`cannot run ${command}: ${messageOf(error)}`),
      cancel: () => undefined,
    };
  }
  const outcome = new Promise<string | null>((resolve) => {
    child.once('error', (error) => {
      resolve(`cannot run ${command}: ${messageOf(error)}`);
    });
    child.once('exit', (code, signal) => {
      resolve(
        code === 0
          ? null
          : `${command} ${signal === null ? `exited with code ${code ?? '?'}` : `was ended by ${signal}`}`,
      );
    });
  });
  return {
    outcome,
    cancel: () => {
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
        sendSignal(-child.pid, 'SIGKILL');
    },
  };
}
