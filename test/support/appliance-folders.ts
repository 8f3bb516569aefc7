import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const imageSettings = fileURLToPath(new URL('../../deploy/raspberry-pi/headwater.yaml', import.meta.url));

export const bootFile = `\
appliance:
  hostName: pumphouse
  mqttUsers:
    - { name: kitchen, password: sekrit-kitchen, publish: ['sensors/%u/#'] }
gateway: { site: lab }
mqtt:
  sources:
    - { name: plant, url: 'mqtt://127.0.0.1:1', topics: ['#'], username: u, password: sekrit-plant }
`;

/** The folders of an appliance, with this boot file. */
export async function appliance(path: string) {
  const [boot, data, root, image] = ['boot', 'data', 'root', 'image'].map((name) => join(path, name));
  for (const folder of [boot, data, root, image]) await mkdir(folder ?? '');
  const places = { boot: boot ?? '', data: data ?? '', root: root ?? '', image: image ?? '' };
  await copyFile(imageSettings, join(places.image, 'headwater.yaml'));
  await writeFile(join(places.image, 'image-time'), '2026-11-27T04:00:00Z\n');
  await writeFile(join(places.boot, 'headwater.yaml'), bootFile);
  const options = Object.entries(places).flatMap(([name, folder]) => [`--${name}`, folder]);
  return { ...places, options, dataDir: join(places.data, 'headwater') };
}
