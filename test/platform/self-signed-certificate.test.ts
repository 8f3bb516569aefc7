import { createPrivateKey, X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { newServerKey, selfSignedCertificate } from '../../src/platform/self-signed-certificate.ts';
import { SimRandom } from '../support/sim-random.ts';

test('a certificate belongs to its key, is signed by it, and has a number that no other has', async () => {
  const random = new SimRandom(1);
  const key = newServerKey();
  const subject = { name: 'gw_1.north', hosts: ['gw1'], addresses: [] };
  const one = new X509Certificate(await selfSignedCertificate(key, subject, random));
  const other = new X509Certificate(await selfSignedCertificate(key, subject, random));
  expect(one.checkPrivateKey(createPrivateKey(key))).toBe(true);
  expect(one.checkPrivateKey(createPrivateKey(newServerKey()))).toBe(false);
  expect(one.verify(one.publicKey)).toBe(true);
  expect(one.toLegacyObject().subject.CN).toBe(subject.name);
  expect(one.serialNumber).toMatch(/^40[0-9A-F]{30}$/);
  expect(other.serialNumber).not.toBe(one.serialNumber);
});
