import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readConfig } from '../../../src/edge/config/read-config.ts';
import { openMqttListeners } from '../../../src/edge/listeners/mqtt-listeners.ts';
import { KeepingLogger } from '../../ingest/mqtt/harness.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

async function listeners(folder: string, ...sets: readonly string[]) {
  const result = readConfig({ file: undefined, sets, workingDirectory: folder, hostName: 'gw1' });
  if ('problems' in result) throw new Error(result.problems.join());
  return await openMqttListeners(result.config, folder, new KeepingLogger());
}

test('a certificate is made only where a listener shows it, and stays the same', async () => {
  await using folder = await temporaryFolder();
  const plain = await listeners(folder.path, 'mqtt.tls={ listen: off }');
  expect(plain).toMatchObject({ tls: null, options: [{ kind: 'mqtt', tls: null }] });
  expect(existsSync(join(folder.path, 'mqtt-certificate.pem'))).toBe(false);
  const secured = await listeners(folder.path, 'mqtt.listen=off', 'mqtt.tls={}');
  await secured.tls?.stop();
  expect(secured.options).toEqual([expect.objectContaining({ kind: 'mqtts', tls: secured.tls })]);
  const again = await listeners(folder.path, 'mqtt.tls={}');
  await again.tls?.stop();
  expect(again.tls?.status().fingerprint).toBe(secured.tls?.status().fingerprint);
  expect(again.tls?.status().fingerprint).toEqual(expect.any(String));
});
