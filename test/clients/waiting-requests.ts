/** How the programs of docs/programs.md are changed so that each request waits for a gate before it is answered. */
import type { Example } from './program-examples.ts';

/** In a text of the example, what stands in front of what. `GATE` is the port of the gate. */
interface Change {
  readonly path: string;
  readonly at: string;
  readonly wait: string;
  /** `wait` comes in the place of `at`, not before it. */
  readonly replaces?: boolean;
}

const asgi: Change = {
  path: 'app.py',
  at: '    headers = ',
  wait: '    import asyncio\n    reader, _ = await asyncio.open_connection("127.0.0.1", GATE)\n    await reader.read(1)\n',
};
const rack: Change = {
  path: 'config.ru',
  at: '[200,',
  wait: 'require "socket"; TCPSocket.new("127.0.0.1", GATE).read(1); ',
};

const changes: Readonly<Record<string, Change>> = {
  gunicorn: {
    path: 'app.py',
    at: '    start_response',
    wait: '    import socket\n    socket.create_connection(("127.0.0.1", GATE)).recv(1)\n',
  },
  uvicorn: asgi,
  hypercorn: asgi,
  puma: rack,
  unicorn: rack,
  starman: {
    path: 'app.psgi',
    at: '[200,',
    wait: 'require IO::Socket::INET; IO::Socket::INET->new(PeerAddr => "127.0.0.1:GATE")->getc; ',
  },
  nginx: {
    path: 'nginx.conf',
    at: 'return 200 "hello"',
    wait: 'proxy_pass http://127.0.0.1:GATE',
    replaces: true,
  },
  'php-fpm': { path: 'index.php', at: 'echo', wait: 'fgets(fsockopen("127.0.0.1", GATE)); ' },
  lighttpd: {
    path: 'lighttpd.conf',
    at: 'server.document-root',
    wait: 'server.modules += ("mod_proxy")\nproxy.server = ("" => (("host" => "127.0.0.1", "port" => GATE)))\n',
  },
  haproxy: {
    path: 'haproxy.cfg',
    at: 'http-request return status 200 content-type text/plain string "hello"',
    wait: 'default_backend gate\nbackend gate\n  server gate 127.0.0.1:GATE',
    replaces: true,
  },
  go: {
    path: 'server.go',
    at: 'w.Write',
    wait: 'if gate, err := net.Dial("tcp", "127.0.0.1:GATE"); err == nil {\n gate.Read(make([]byte, 1))\n }\n',
  },
  java: {
    path: 'Server.java',
    at: 'OutputStream out',
    wait: 'new Socket("127.0.0.1", GATE).getInputStream().read();\n',
  },
  python: {
    path: 'server.py',
    at: '            last = ',
    wait: '            gate, _ = await asyncio.open_connection("127.0.0.1", GATE)\n            await gate.read(1)\n',
  },
  perl: {
    path: 'server.pl',
    at: '    print $connection',
    wait: '    IO::Socket::INET->new(PeerAddr => "127.0.0.1:GATE")->getc;\n',
  },
  ruby: {
    path: 'server.rb',
    at: '  connection.write',
    wait: '  TCPSocket.new("127.0.0.1", GATE).read(1)\n',
  },
};

/** The example, whose requests wait for the gate on this port. */
export function waitingAt(gate: number, example: Example): Example {
  const change = changes[example.name];
  const changed = example.files.find(({ path, text }) => path === change?.path && text.includes(change.at));
  if (change === undefined || changed === undefined)
    throw new Error(`no request of ${example.name} can wait: say where in waiting-requests.ts`);
  const { at, wait, replaces = false } = change;
  const text = changed.text.replace(at, () => wait.replace('GATE', String(gate)) + (replaces ? '' : at));
  return { ...example, files: [...example.files.filter((file) => file !== changed), { ...changed, text }] };
}
