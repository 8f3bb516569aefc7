import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readGatewayFile, removeGatewayFile, writeGatewayFile } from '../../src/edge/gateway-file.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const content = {
  pid: 17,
  mqtt: '127.0.0.1:1883',
  mqtts: null,
  ws: null,
  wss: null,
  admin: '127.0.0.1:8080',
  adminFingerprint: 'AB:CD',
};

test('what a gateway writes is what the CLI reads, until it is removed', async () => {
  await using folder = await temporaryFolder();
  expect(await readGatewayFile(folder.path)).toBeNull();
  await writeGatewayFile(folder.path, { ...content, pid: 1 });
  await writeGatewayFile(folder.path, content);
  expect(await readGatewayFile(folder.path)).toEqual(content);
  await removeGatewayFile(folder.path);
  await removeGatewayFile(folder.path);
  expect(await readGatewayFile(folder.path)).toBeNull();
});

test.each(['', '{', 'null', '[]', '{"pid":"1","mqtt":"","admin":""}'])(
  'a file that holds %s is as good as none',
  async (text) => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'gateway.json'), text);
    expect(await readGatewayFile(folder.path)).toBeNull();
  },
);
