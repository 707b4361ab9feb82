import { expect, test } from 'vitest';
import { describeUpgrade } from '../../../../src/ctl/act/upgrade.ts';

const before = { from: '0.1.0', nodeFrom: '20.20.2', upgrades: 1 };

test.each([
  ['0.2.0', '22.23.3', 'upgraded from graceful-run 0.1.0 to 0.2.0, Node.js 20.20.2 to 22.23.3'],
  ['0.2.0', '20.20.2', 'upgraded from graceful-run 0.1.0 to 0.2.0'],
  ['0.1.0', '22.23.3', 'upgraded from Node.js 20.20.2 to 22.23.3'],
  ['0.1.0', '20.20.2', 'replaced by the same versions, graceful-run 0.1.0 and Node.js 20.20.2'],
])('an upgrade to %s and Node.js %s names what has changed', (version, node, text) => {
  expect(describeUpgrade({ ...before, version, node })).toBe(text);
});
