# Says how many mails wait and how many were sent. It inherits its listener, and ends on SIGTERM when it has answered what it has accepted.
import os
import signal
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

spool = os.environ.get("SPOOL", "spool")


class Stats(BaseHTTPRequestHandler):
    def do_GET(self):
        names = os.listdir(spool)
        waiting = sum(name.endswith(".mail") for name in names)
        sent = sum(name.endswith(".sent") for name in names)
        body = f"waiting: {waiting}, sent: {sent}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


server = ThreadingHTTPServer(("", 0), Stats, bind_and_activate=False)
server.socket.close()
server.socket = socket.socket(fileno=3)
# server_close() waits for the requests in flight.
server.daemon_threads = False
# serve_forever() waits for the end of shutdown(), so that has to be called in another thread.
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown, daemon=True).start())
server.serve_forever()
server.server_close()
