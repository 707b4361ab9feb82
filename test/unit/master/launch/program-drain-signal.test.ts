import { describe, expect, test } from 'vitest';
import { drainSignalFor, parseDrainSignal } from '../../../../src/master/launch/program-drain-signal.ts';
import { splitWords } from '../../../../src/master/launch/split-words.ts';

test.each([
  ['auto', 'auto'],
  ['none', 'none'],
  ['QUIT', 'SIGQUIT'],
  ['SIGQUIT', 'SIGQUIT'],
  ['KILL', null],
  ['SIGSTOP', null],
  ['SIGSIGQUIT', null],
  ['15', null],
  ['', null],
])('a drain signal written %s is %s', (written, expected) => {
  expect(parseDrainSignal(written)).toBe(expected);
});

describe('the drain signal follows from what is run', () => {
  test.each([
    ['/usr/sbin/nginx -c /etc/nginx/nginx.conf', 'SIGQUIT'],
    ['/usr/bin/gunicorn app:app', 'SIGTERM'],
    ['/usr/bin/python3 -m gunicorn app:app', 'SIGTERM'],
    ['/usr/bin/python3.11 -W ignore -m unicorn', 'SIGQUIT'],
    ['/usr/bin/ruby3.1 /usr/bin/unicorn -c config.rb', 'SIGQUIT'],
    ['ruby -S unicorn', 'SIGQUIT'],
    ['bundle exec unicorn', 'SIGQUIT'],
    ['bundle exec puma', 'SIGTERM'],
    ['bundle install', 'SIGTERM'],
    ['/usr/sbin/php-fpm8.2 -F', 'SIGQUIT'],
    ['/usr/sbin/php-fpm -F', 'SIGQUIT'],
    ['/usr/sbin/haproxy -W -f haproxy.cfg', 'SIGUSR1'],
    ['/usr/sbin/lighttpd -D -f lighttpd.conf', 'SIGINT'],
    ['/usr/sbin/apache2 -DFOREGROUND', 'SIGWINCH'],
    ['/usr/local/apache2/bin/httpd -DFOREGROUND', 'SIGWINCH'],
    ['perl /usr/bin/starman app.psgi', 'SIGQUIT'],
    ['/usr/bin/start_server --port 8000 --signal-on-term=QUIT -- starman app.psgi', 'SIGTERM'],
    ['plackup -p 8000 -s Starman app.psgi', 'SIGQUIT'],
    ['plackup --server=Starman app.psgi', 'SIGQUIT'],
    ['perl /usr/bin/plackup --server Starman app.psgi', 'SIGQUIT'],
    ['plackup -s Starlet app.psgi', 'SIGTERM'],
    ['plackup app.psgi', 'SIGTERM'],
    ['my-plackup -s Starman app.psgi', 'SIGTERM'],
    ['java -jar nginx.jar', 'SIGTERM'],
    ['env FPM_SOCKETS=127.0.0.1:9000=3 php-fpm8.2 -F', 'SIGQUIT'],
    ['/usr/bin/env -u HOME nice -n 5 nginx', 'SIGQUIT'],
    ["sh -c 'cd /srv && NGINX=3; exec nginx -c x'", 'SIGQUIT'],
    ["bash -ec 'nginx | logger'", 'SIGQUIT'],
    ['sh ./nginx', 'SIGTERM'],
    ['python3 -m http.server 8000', 'SIGTERM'],
    ['python3 server.py -m unicorn', 'SIGTERM'],
    ['./my-server nginx', 'SIGTERM'],
    ['constructor', 'SIGTERM'],
  ])('%s: %s', (line, expected) => {
    expect(drainSignalFor(splitWords(line))).toBe(expected);
  });
});
