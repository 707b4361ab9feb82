import { expect, test } from 'vitest';
import { parseListenAddress } from '../../../../../src/master/config/options/listen-address.ts';

test.each([
  ['udp:127.0.0.1:5353', { type: 'udp', name: null, host: '127.0.0.1', port: 5353 }],
  ['dns=udp:[::1]:5353', { type: 'udp', name: 'dns', host: '::1', port: 5353 }],
  ['udp:localhost:0', { type: 'udp', name: null, host: 'localhost', port: 0 }],
  ['udp=127.0.0.1:5353', { type: 'tcp', name: 'udp', host: '127.0.0.1', port: 5353 }],
])('%s is an address', (written, address) => {
  expect(parseListenAddress(written)).toEqual(address);
});

test.each([
  'udp:5353',
  'udp::5353',
  'udp:',
  'udp:127.0.0.1',
  'udp:127.0.0.1:65536',
  'udp:::1:5353',
  'udp:[]:1',
])('%s is none', (written) => {
  expect(parseListenAddress(written)).toBeNull();
});
