/** A bare TCP client that shows a connection as it is: what came, and whether it ended or was reset. */
import { once } from 'node:events';
import net from 'node:net';

export class Wire {
  received = '';
  readonly socket: net.Socket;
  /** Resolves when the other side is done: `end`, or the error's code. */
  readonly closed: Promise<string>;

  constructor(socket: net.Socket) {
    this.socket = socket;
    let how = 'end';
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.received += text;
      socket.emit('grown');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      how = error.code ?? error.message;
    });
    // Not by once(): that rejects on an error, which is one of the answers here.
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        resolve(how);
      });
    });
  }

  static async connect(port: number, host = '127.0.0.1'): Promise<Wire> {
    const socket = net.connect(port, host);
    await once(socket, 'connect');
    return new Wire(socket);
  }

  static async connectPath(path: string): Promise<Wire> {
    const socket = net.connect(path);
    await once(socket, 'connect');
    return new Wire(socket);
  }

  /** Resolves when the text has left this process. */
  writeAll(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.write(text, 'latin1', (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  }

  write(text: string): void {
    this.socket.write(text, 'latin1');
  }

  get(path: string): void {
    this.write(`GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`);
  }

  async until(text: string): Promise<void> {
    while (!this.received.includes(text)) {
      const isOver = await Promise.race([
        once(this.socket, 'grown').then(() => false),
        this.closed.then(() => true),
      ]);
      if (isOver && !this.received.includes(text))
        throw new Error(`closed before '${text}': ${this.received}`);
    }
  }
}
