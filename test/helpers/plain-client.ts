/**
 * One-off HTTP requests for tests: no retry, and an answer that is not whole rejects. They must not know who answers.
 */
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';

/** How long an answer may take. */
const patienceMs = 8_000;

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** What the application `serves` says of itself at `/`. */
export interface Self {
  readonly pid: number;
  readonly generation: number;
  readonly cwd: string;
  readonly release: string | null;
}

/** One request on a connection of its own (or of `agent`). Rejects when the answer is not whole. */
export function get(port: number, path = '/', agent: http.Agent | false = false): Promise<Answer> {
  return new Promise((resolve, reject) => {
    http
      .get({ host: '127.0.0.1', port, path, agent, signal: AbortSignal.timeout(patienceMs) }, (response) => {
        resolve(wholeBody(response));
      })
      .on('error', reject);
  });
}

export async function whoAnswers(port: number): Promise<Self> {
  return JSON.parse((await get(port)).body) as Self;
}

/** A request that is being answered: resolves when the answer has begun. */
export function begin(port: number, path: string): Promise<{ readonly answer: Promise<Answer> }> {
  return new Promise((resolve, reject) => {
    http
      .get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
        const answer = wholeBody(response);
        // Whoever asked may look at it late.
        answer.catch(() => undefined);
        response.once('data', () => {
          resolve({ answer });
        });
      })
      .on('error', reject);
  });
}

/** `count` clients that wait for their answer: resolves when all of them are connected. */
export async function queueUp(port: number, count: number): Promise<readonly Promise<Answer>[]> {
  const clients = await Promise.all(Array.from({ length: count }, () => connectAndAsk(port)));
  return clients.map(({ answer }) => answer);
}

function connectAndAsk(port: number): Promise<{ readonly answer: Promise<Answer> }> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: '127.0.0.1', port });
    socket.once('error', reject);
    socket.once('connect', () => {
      const agent = new http.Agent();
      agent.createConnection = () => socket;
      const answer = get(port, '/', agent);
      answer.catch(() => undefined);
      resolve({ answer });
    });
  });
}

function wholeBody(response: http.IncomingMessage): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let body = '';
    response.setEncoding('utf8').on('data', (text: string) => (body += text));
    response.on('error', reject);
    response.on('end', () => {
      resolve({ status: response.statusCode ?? 0, body });
    });
  });
}

/** A port that was free on every address a moment ago. */
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0);
  await once(server, 'listening');
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
