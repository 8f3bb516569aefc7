import { expect, test } from 'vitest';
import { timeServersIn } from '../../src/platform/time-servers.ts';

const fallback = 'FallbackNTPServers=0.debian.pool.ntp.org 1.debian.pool.ntp.org\nServerName=x\n';

test('time servers are those of network and administrator, else those that are built in', () => {
  const chosen = `LinkNTPServers=ntp.lan\nSystemNTPServers=time.example.com 192.0.2.1\n${fallback}`;
  expect(timeServersIn(chosen)).toEqual(['ntp.lan', 'time.example.com', '192.0.2.1']);
  expect(timeServersIn(fallback)).toEqual(['0.debian.pool.ntp.org', '1.debian.pool.ntp.org']);
  expect(timeServersIn('')).toEqual([]);
});
