"""The same work for gunicorn: `/` says the worker's pid, a POST too once it was read whole, `/slow` takes 1.5 s."""
import os
import time

SLOW_SECONDS = 1.5


def app(environ, start_response):
    environ["wsgi.input"].read()
    if environ["PATH_INFO"] == "/slow":
        time.sleep(SLOW_SECONDS)
    body = str(os.getpid()).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
