import { expect, test } from 'vitest';
import { adminRows } from '../../../src/edge/cli/admin-rows.ts';

const addresses = { mqtt: null, mqtts: null, ws: null, wss: null, admin: '127.0.0.1:8080' };
const tls = {
  certificateFile: '/data/mqtt-certificate.pem',
  fingerprint: 'AB:CD',
  validToMs: Date.parse('9999-12-31T23:59:59Z'),
  clientCertificates: 'off' as const,
  problems: ['admin.tls.keyFile: k cannot be read'],
};

test('the status says where the page is, that nobody has claimed it, and what is wrong', () => {
  const rows = (admin: Parameters<typeof adminRows>[0]['admin']) => adminRows({ addresses, admin });
  expect(rows({ tls: null, state: 'claimed', problem: null })).toEqual(['http://127.0.0.1:8080/']);
  expect(rows({ tls: null, state: 'unclaimed', problem: null })[1]).toMatch(/headwater admin claim-code/);
  expect(rows({ tls, state: 'claimed', problem: 'admin.json cannot be used' })).toEqual([
    'https://127.0.0.1:8080/',
    '/data/mqtt-certificate.pem until 9999-12-31, SHA-256 AB:CD',
    'TROUBLE: admin.tls.keyFile: k cannot be read',
    'TROUBLE: admin.json cannot be used',
  ]);
});
