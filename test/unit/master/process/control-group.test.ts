import { expect, test } from 'vitest';
import { findGroup } from '../../../../src/master/process/control-group.ts';

const v2 = '30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate';
const hybrid = [
  '31 25 0:28 / /sys/fs/cgroup/memory rw shared:5 - cgroup cgroup rw,memory',
  '32 25 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw',
].join('\n');

test.each([
  ['a unit of systemd', v2, '0::/system.slice/shop.service\n', '/sys/fs/cgroup/system.slice/shop.service'],
  ['a container with a namespace of its own', v2, '0::/\n', '/sys/fs/cgroup'],
  [
    'a mount of one group',
    v2.replace(' / /sys', ' /docker/1 /sys'),
    '0::/docker/1/shop',
    '/sys/fs/cgroup/shop',
  ],
  ['both versions', hybrid, '4:memory:/shop\n0::/all\n', '/sys/fs/cgroup/unified/all'],
  ['a group above what is mounted', v2.replace(' / /sys', ' /docker/1 /sys'), '0::/other', null],
  ['a group above its namespace', v2, '0::/../other', null],
  ['version 1 alone', hybrid.split('\n')[0] ?? '', '4:memory:/shop\n', null],
  ['nothing to read', '', '', null],
])('the folder of the own control group: %s', (_, mounts, groups, folder) => {
  expect(findGroup(mounts, groups)).toBe(folder);
});
