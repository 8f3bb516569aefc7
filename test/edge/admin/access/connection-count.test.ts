import { expect, test } from 'vitest';
import { limits } from '../../../../src/core/limits.ts';
import { ConnectionCount } from '../../../../src/edge/admin/access/connection-count.ts';

test('one address has so many connections, all from elsewhere together so many, and this machine any', () => {
  const count = new ConnectionCount();
  const added = (host: string): number => {
    let stayed = 0;
    for (let one = 0; one < limits.adminConnectionsMax; one += 1) if (count.add(host)) stayed += 1;
    return stayed;
  };
  expect(added('192.0.2.1')).toBe(limits.adminAddressConnectionsMax);
  expect(count.add('192.0.2.1')).toBe(false);
  count.remove('192.0.2.1');
  expect(added('192.0.2.1')).toBe(1);
  const others = ['2001:db8::1', '192.0.2.2', '192.0.2.3', '192.0.2.4'].map(added);
  expect(others.reduce((sum, one) => sum + one)).toBe(
    limits.adminRemoteConnectionsMax - limits.adminAddressConnectionsMax,
  );
  expect(added('127.0.0.1') + added('::1')).toBe(2 * limits.adminConnectionsMax);
  count.remove('127.0.0.1');
  expect(count.add('192.0.2.9')).toBe(false);
});
