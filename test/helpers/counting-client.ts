/** A WebSocket client that numbers what it sends and holds its server to numbers without a gap: ../fixtures/websockets/counts.mjs. */
import { once } from 'node:events';
import { WebSocket, type ClientOptions } from 'ws';

export interface Said {
  readonly seq: number;
  readonly generation: number;
  readonly n?: number;
  readonly [name: string]: unknown;
}

export class CountingClient {
  readonly ws: WebSocket;
  /** What came that should not have. */
  readonly mistakes: string[] = [];
  readonly said: Said[] = [];
  readonly closed: Promise<number>;
  #sent = 0;
  #answered = 0;
  readonly #checks = new Set<() => void>();

  private constructor(ws: WebSocket) {
    this.ws = ws;
    ws.on('message', (data: Buffer) => {
      this.#hear(JSON.parse(data.toString()) as Said);
    });
    this.closed = once(ws, 'close').then(([code]) => {
      for (const check of this.#checks) check();
      return Number(code);
    });
  }

  static async connect(
    port: number,
    {
      scheme = 'ws',
      path = '/',
      socketPath,
      protocols = [],
      ...options
    }: ClientOptions & {
      readonly scheme?: string;
      readonly path?: string;
      /** Of a UNIX socket, in place of the port. */
      readonly socketPath?: string;
      readonly protocols?: string[];
    } = {},
  ): Promise<CountingClient> {
    const url =
      socketPath === undefined ? `${scheme}://127.0.0.1:${port}${path}` : `ws+unix:${socketPath}:${path}`;
    const ws = new WebSocket(url, protocols, {
      perMessageDeflate: false,
      rejectUnauthorized: false,
      ...options,
    });
    const client = new CountingClient(ws);
    await once(ws, 'open');
    return client;
  }

  /** The number of a message. */
  next(): number {
    return ++this.#sent;
  }

  send(content: object = {}): number {
    const n = this.next();
    this.ws.send(JSON.stringify({ n, ...content }));
    return n;
  }

  /** Resolves to the answer. */
  async ask(content: object = {}): Promise<Said> {
    return this.answerTo(this.send(content));
  }

  async answerTo(n: number): Promise<Said> {
    return this.until(`an answer to ${n}`, (said) => said.n === n);
  }

  async until(what: string, fits: (said: Said) => boolean): Promise<Said> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const found = this.said.find(fits);
        if (found !== undefined) resolve(found);
        else if (this.ws.readyState === WebSocket.CLOSED) reject(new Error(`closed without ${what}`));
        else return;
        this.#checks.delete(check);
      };
      this.#checks.add(check);
      check();
    });
  }

  /** Everything that was sent has been answered. */
  get isAnswered(): boolean {
    return this.#answered === this.#sent;
  }

  #hear(said: Said): void {
    const last = this.said.at(-1)?.seq ?? 0;
    if (said.seq !== last + 1) this.mistakes.push(`${said.seq} after ${last}`);
    if ('wrong' in said) this.mistakes.push(JSON.stringify(said));
    if (said.n !== undefined && said.n !== ++this.#answered) this.mistakes.push(`an answer to ${said.n}`);
    this.said.push(said);
    for (const check of this.#checks) check();
  }
}
