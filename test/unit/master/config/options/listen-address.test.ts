import { expect, test } from 'vitest';
import { parseListenAddress } from '../../../../../src/master/config/options/listen-address.ts';

test.each([
  ['udp:127.0.0.1:5353', { type: 'udp', name: null, host: '127.0.0.1', port: 5353 }],
  ['dns=udp:[::1]:5353', { type: 'udp', name: 'dns', host: '::1', port: 5353 }],
  ['udp:localhost:0', { type: 'udp', name: null, host: 'localhost', port: 0 }],
  ['udp=127.0.0.1:5353', { type: 'tcp', name: 'udp', host: '127.0.0.1', port: 5353 }],
  ['[fe80::1%br-1234abcd]:80', { type: 'tcp', name: null, host: 'fe80::1%br-1234abcd', port: 80 }],
  ['web=[fe80::1%veth_1@x+2]:80', { type: 'tcp', name: 'web', host: 'fe80::1%veth_1@x+2', port: 80 }],
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
  '[fe80::1%]:80',
  '[fe80::1%a b]:80',
  '[fe80::1%a/b]:80',
  '[fe80::1%a%b]:80',
  '[host]:80',
])('%s is none', (written) => {
  expect(parseListenAddress(written)).toBeNull();
});
