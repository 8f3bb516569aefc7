import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { ApplianceMachine } from '../../src/edge/appliance/appliance-machine.ts';
import { type BootUser, KEPT } from '../../src/edge/appliance/appliance-section.ts';
import { parseSystemFile } from '../../src/edge/appliance/generation.ts';
import { sha256 } from '../../src/edge/appliance/imported-settings.ts';
import { Preparation } from '../../src/edge/appliance/prepare.ts';
import type { RunFacts } from '../../src/edge/appliance/run-facts.ts';
import { certificateAuthority } from '../support/certificates.ts';
import { SimCard } from '../support/sim-card.ts';
import { SimRandom } from '../support/sim-random.ts';

const places = { boot: '/boot', data: '/data', root: '/system', image: '/image' };
const imageSettings = readFileSync(
  new URL('../../deploy/raspberry-pi/headwater.yaml', import.meta.url),
  'utf8',
);
const builtMs = Date.parse('2026-11-27T04:00:00Z');

/** An appliance whose card is simulated: users are what its data folder would hold. */
class Appliance implements ApplianceMachine {
  readonly card: SimCard;
  readonly users = new Map<string, BootUser>();
  nowMs = 0;
  hostName = '';

  constructor(choose: () => number = () => 1) {
    this.card = new SimCard(choose);
    for (const folder of ['/boot', '/data', '/system/usr/share/zoneinfo/Europe']) this.card.putFolder(folder);
    this.card.put('/system/usr/share/zoneinfo/Europe/Berlin', '');
    this.card.put('/image/headwater.yaml', imageSettings);
    this.card.put('/image/image-time', '2026-11-27T04:00:00Z\n');
    this.card.put('/system/proc/device-tree/serial-number', '');
    this.card.put('/system/sys/class/net/eth0/address', 'b8:27:eb:01:23:ab\n');
  }

  wallMs = () => this.nowMs;

  setClock(wallMs: number): Promise<void> {
    this.nowMs = wallMs;
    return Promise.resolve();
  }

  setHostName(name: string): Promise<void> {
    this.hostName = name;
    return Promise.resolve();
  }

  isDataMounted = true;

  isMounted = () => Promise.resolve(this.isDataMounted);

  userNames = () => Promise.resolve([...this.users.keys()]);

  async mergeUsers(dataDir: string, users: readonly BootUser[]): Promise<void> {
    for (const user of users) {
      await Promise.resolve();
      this.card.step();
      const { password, ...rest } = user;
      const before = this.users.get(user.name);
      const secret = password === undefined || password === KEPT ? before?.password : password;
      this.users.set(user.name, { ...before, ...rest, password: secret });
      this.card.put(`${dataDir}/users.json`, '');
    }
  }

  async start(): Promise<RunFacts> {
    return await new Preparation(places, this.card, this).run();
  }

  boot = (text: string): void => this.card.put('/boot/headwater.yaml', text);
  config = (): string | null => this.card.text('/data/config/current/headwater.yaml');
  left = (): string | null => this.card.text('/boot/headwater.yaml');
  errors = (): string | null => this.card.text('/boot/headwater-errors.txt');
}

const authority = certificateAuthority('plant');
const own = authority.issue({ name: 'gw1' });
const indented = (pem: string): string => pem.replaceAll(/^(?=.)/gm, '      ');

/** All that has secrets in it. */
const whole = `\
# Pump house, password was sekrit-kafka once
appliance:
  hostName: pumphouse
  wifi:
    country: DE
    networks:
      - ssid: Plant
        password: sekrit-wifi   # the new one
  sshKeys: []
  timezone: Europe/Berlin
  timeServers: [time.example.com]
  mqttUsers:
    - { name: kitchen, password: sekrit-kitchen, publish: ['sensors/%u/#'] }
    - name: cellar
      password: "sekrit-cellar"
gateway: { site: lab }
forwarder:
  brokers: [kafka1:9092]
  tls:
    caFile: ca.pem
    cert: |
${indented(own.certificate)}
    keyFile: gw1.key
  sasl: { mechanism: PLAIN, username: gw1, password: sekrit-kafka }
`;
const secrets = ['sekrit-wifi', 'sekrit-kitchen', 'sekrit-cellar', 'sekrit-kafka', 'PRIVATE KEY'];

function withWhole(appliance: Appliance): Appliance {
  appliance.boot(whole);
  appliance.card.put('/boot/ca.pem', authority.certificate);
  appliance.card.put('/boot/gw1.key', own.key);
  return appliance;
}

describe('a start without a boot file', () => {
  test('comes up with what the image has, closed to devices nobody knows', async () => {
    const appliance = new Appliance();
    const facts = await appliance.start();
    expect(facts).toEqual({
      hostName: 'headwater-23ab',
      importErrors: [],
      problems: [],
      closed: ['mqtt.listen', 'mqtt.tls.listen'],
      stillCounting: [],
    });
    expect(appliance.hostName).toBe('headwater-23ab');
    expect(appliance.config()).toContain('listen: 127.0.0.1:1883');
    expect(appliance.config()).toContain('listen: 0.0.0.0:8443');
    expect(appliance.card.text('/system/etc/hosts')).toBe(
      '127.0.0.1\tlocalhost\n127.0.1.1\theadwater-23ab\n',
    );
    expect(await appliance.card.list('/system/etc/wpa_supplicant')).toEqual([]);
    expect(await appliance.card.list('/system/run/headwater-appliance')).toEqual(['prepared.json']);
  });

  test('opens the MQTT port to the network once there are users, whoever has added them', async () => {
    const appliance = new Appliance();
    await appliance.start();
    appliance.card.put('/data/headwater/users.json', '');
    expect((await appliance.start()).closed).toEqual([]);
    expect(appliance.config()).toContain('listen: 0.0.0.0:1883');
  });

  test('writes nothing to the card that is there already', async () => {
    const appliance = withWhole(new Appliance());
    await appliance.start();
    appliance.card.restart();
    await appliance.start();
    expect(appliance.card.steps).toBe(0);
  });

  test.each([
    ['the data partition', '/data', 'the settings: EROFS'],
    ['the system', '/system', 'hostname: EROFS'],
  ])('ends as well if %s cannot be written', async (_what, below, problem) => {
    const appliance = new Appliance();
    appliance.card.failing = { below, code: 'EROFS' };
    const facts = await appliance.start();
    expect(facts.problems).toContain(problem);
    expect(facts.hostName).toBe('headwater-23ab');
  });
});

describe('the clock', () => {
  test('goes forward to when the image was built or the log last written, and never back', async () => {
    const appliance = new Appliance();
    await appliance.start();
    expect(appliance.nowMs).toBe(builtMs);
    // The one with the highest number counts, not the newest.
    const journal = '/data/headwater/journal';
    appliance.card.put(`${journal}/00000000000000000007.journal`, '', builtMs + 9e9);
    appliance.card.put(`${journal}/00000000000000000008.journal`, '', builtMs + 5e9);
    appliance.card.put(`${journal}/spare-99999999999999999999`, '', builtMs + 9e9);
    await appliance.start();
    expect(appliance.nowMs).toBe(builtMs + 5e9);
    appliance.nowMs = builtMs + 7e9;
    await appliance.start();
    expect(appliance.nowMs).toBe(builtMs + 7e9);
    appliance.card.put('/system/var/lib/systemd/timesync/clock', '', builtMs + 8e9);
    await appliance.start();
    expect(appliance.nowMs).toBe(builtMs + 8e9);
  });
});

describe('an import', () => {
  test('puts all in force, and leaves a copy without secrets and no key', async () => {
    const appliance = withWhole(new Appliance());
    const facts = await appliance.start();
    expect(facts).toMatchObject({ hostName: 'pumphouse', importErrors: [], problems: [], closed: [] });
    expect(appliance.left()).toBe(
      whole
        .replace('was sekrit-kafka once', 'was *** once')
        .replace('sekrit-wifi ', `${KEPT} `)
        .replace('sekrit-kitchen', KEPT)
        .replace('"sekrit-cellar"', KEPT)
        .replace('keyFile: gw1.key', `key: ${KEPT}`)
        .replace('password: sekrit-kafka }', `password: ${KEPT} }`),
    );
    expect((await appliance.card.list('/boot')).toSorted()).toEqual(['ca.pem', 'headwater.yaml']);
    const folder = '/data/config/current';
    expect(appliance.config()).toContain(`passwordFile: ${folder}/secrets/forwarder.sasl.password`);
    expect(appliance.config()).toContain(`keyFile: ${folder}/secrets/forwarder.tls.key`);
    expect(appliance.card.text(`${folder}/secrets/forwarder.sasl.password`)).toBe('sekrit-kafka');
    expect(appliance.card.text(`${folder}/secrets/forwarder.tls.key`)).toBe(own.key);
    expect(appliance.card.readersOf(`${folder}/headwater.yaml`)).toBe('gateway');
    expect(appliance.card.readersOf(`${folder}/system.json`)).toBe('administrator');
    expect([...appliance.users.values()]).toEqual([
      { name: 'kitchen', password: 'sekrit-kitchen', publish: ['sensors/%u/#'] },
      { name: 'cellar', password: 'sekrit-cellar' },
    ]);
    expect(appliance.card.text('/system/etc/wpa_supplicant/wpa_supplicant-wlan0.conf')).toContain(
      'ssid=506c616e74\n',
    );
    expect(appliance.card.text('/system/etc/systemd/timesyncd.conf.d/headwater.conf')).toContain(
      'NTP=time.example.com\n',
    );
    expect(await appliance.card.linkTarget('/system/etc/localtime')).toBe(
      '../usr/share/zoneinfo/Europe/Berlin',
    );
  });

  test('keeps its secrets when the copy is changed and imported', async () => {
    const appliance = withWhole(new Appliance());
    await appliance.start();
    const before = appliance.card.text('/system/etc/wpa_supplicant/wpa_supplicant-wlan0.conf');
    appliance.boot((appliance.left() ?? '').replace('site: lab', 'site: hall'));
    expect((await appliance.start()).importErrors).toEqual([]);
    expect(appliance.config()).toContain('site: hall');
    expect(appliance.card.text('/data/config/current/secrets/forwarder.sasl.password')).toBe('sekrit-kafka');
    expect(appliance.card.text('/data/config/current/secrets/forwarder.tls.key')).toBe(own.key);
    expect(appliance.card.text('/system/etc/wpa_supplicant/wpa_supplicant-wlan0.conf')).toBe(before);
    expect(appliance.users.get('kitchen')?.password).toBe('sekrit-kitchen');
  });

  test('leaves what it does not name, tells so, and takes back what is to be default', async () => {
    const appliance = withWhole(new Appliance());
    await appliance.start();
    appliance.boot('gateway: { name: gw7 }\nforwarder: { tls: default, sasl: { username: gw7 } }\n');
    const facts = await appliance.start();
    expect(facts.importErrors).toEqual([]);
    expect(appliance.config()).toContain('name: gw7\n');
    expect(appliance.config()).toContain('site: lab\n');
    expect(appliance.config()).toContain('username: gw7\n');
    expect(appliance.config()).not.toContain('caFile');
    expect(await appliance.card.list('/data/config/2/secrets')).toEqual(['forwarder.sasl.password']);
    expect(facts.stillCounting).toContain('forwarder.brokers');
    expect(facts.stillCounting).not.toContain('gateway.name');
  });

  test('of a bad file changes nothing, and says on the card and the screen what to correct', async () => {
    const appliance = withWhole(new Appliance());
    await appliance.start();
    const before = appliance.config();
    const bad = 'gatway: { name: gw1 }\nforwarder:\n  brokers: [kafka]\n';
    appliance.boot(bad);
    const facts = await appliance.start();
    expect(facts.importErrors).toEqual([
      'headwater.yaml:1:1: gatway: unknown setting; did you mean gateway?',
      'headwater.yaml:3:13: forwarder.brokers.0: write host:port, such as kafka1:9092',
    ]);
    expect(appliance.config()).toBe(before);
    expect(appliance.left()).toBe(bad);
    expect(appliance.errors()?.split('\r\n')).toContain(facts.importErrors[0]);
    expect(appliance.card.text('/system/run/issue.d/headwater.issue')).toContain('gatway');
    appliance.boot('gateway: { name: gw1 }\n');
    expect((await appliance.start()).importErrors).toEqual([]);
    expect(appliance.errors()).toBeNull();
  });

  test('is tried again at each start while the data partition is full, with nothing half done', async () => {
    const appliance = new Appliance();
    await appliance.start();
    withWhole(appliance);
    appliance.card.failing = { below: '/data/config/2/system.json', code: 'ENOSPC' };
    expect((await appliance.start()).importErrors).toEqual([
      'headwater.yaml is good, and is tried again at the next start: ENOSPC',
    ]);
    expect(appliance.left()).toBe(whole);
    expect((await appliance.card.list('/data/config')).toSorted()).toEqual(['1', 'current']);
    appliance.card.failing = null;
    expect(await appliance.start()).toMatchObject({ problems: [], importErrors: [] });
    expect(appliance.left()).not.toBe(whole);
  });

  test('waits while the data partition is not mounted, with all secrets where they are', async () => {
    const appliance = withWhole(new Appliance());
    appliance.isDataMounted = false;
    const facts = await appliance.start();
    expect(facts.problems).toEqual([
      'the settings: /data is not mounted, so nothing is imported; start again, or write the card anew',
    ]);
    expect(appliance.left()).toBe(whole);
    expect(appliance.card.text('/boot/gw1.key')).toBe(own.key);
    expect([appliance.config(), appliance.users.size]).toEqual([null, 0]);
    appliance.isDataMounted = true;
    expect(await appliance.start()).toMatchObject({ problems: [], importErrors: [] });
    expect(appliance.left()).not.toBe(whole);
  });

  test('counts although the boot partition cannot be written, and says that secrets still stand there', async () => {
    const appliance = withWhole(new Appliance());
    appliance.card.failing = { below: '/boot', code: 'EROFS' };
    const facts = await appliance.start();
    expect(facts.problems.join('\n')).toMatch(/headwater\.yaml: .*EROFS/);
    expect(facts.hostName).toBe('pumphouse');
    await appliance.start();
    expect((await appliance.card.list('/data/config')).toSorted()).toEqual(['1', 'current']);
  });

  test.each([
    ['cut off', 'system.json', (text: string) => text.slice(0, 20)],
    ['changed', 'system.json', (text: string) => text.replace('pumphouse', 'pumphause')],
    ['a changed secret', 'secrets/forwarder.sasl.password', (text: string) => text.replace('k', 'c')],
  ])('goes back to older settings if the newest are %s, and says so', async (_what, name, damage) => {
    const appliance = withWhole(new Appliance());
    await appliance.start();
    appliance.boot('gateway: { name: gw8 }\n');
    await appliance.start();
    const path = `/data/config/2/${name}`;
    appliance.card.put(path, damage(appliance.card.text(path) ?? ''));
    const facts = await appliance.start();
    expect(facts.problems).toEqual(['the settings in /data/config/2 are damaged; older ones count']);
    expect(facts.hostName).toBe('pumphouse');
    expect(appliance.config()).toContain('name: gw8');
  });

  test('is still there when only the link to it is lost', async () => {
    const appliance = withWhole(new Appliance());
    await appliance.start();
    const config = appliance.config();
    await appliance.card.remove('/data/config/current');
    expect(await appliance.start()).toMatchObject({ hostName: 'pumphouse', problems: [], importErrors: [] });
    expect(appliance.config()).toBe(config);
  });

  test('keeps three generations', async () => {
    const appliance = new Appliance();
    for (let number = 1; number <= 6; number++) {
      appliance.boot(`gateway: { name: gw${number} }\n`);
      await appliance.start();
    }
    expect((await appliance.card.list('/data/config')).toSorted()).toEqual(['4', '5', '6', 'current']);
  });
});

describe('a boot file that is none', () => {
  test.each([
    ['10 MB', Buffer.alloc(10_000_000, '#'), 'headwater.yaml:1:1: it is longer than 1048576 bytes'],
    [
      'UTF-16',
      Buffer.from('\ufeffgateway:\n', 'utf16le'),
      'headwater.yaml:1:1: this is not UTF-8 text; save it as UTF-8',
    ],
    ['tabs', 'gateway:\n\tname: gw1\n', 'headwater.yaml:2:1: YAML does not indent with tabs; use spaces'],
    ['a text', 'hello', 'headwater.yaml:1:1: write settings here'],
    ['broken', 'gateway: { name: gw1\nx: *y', 'headwater.yaml:'],
  ])('%s is refused', async (_what, content, message) => {
    const appliance = new Appliance();
    appliance.card.put('/boot/headwater.yaml', content);
    const facts = await appliance.start();
    expect(facts.importErrors[0]).toContain(message);
    expect(facts.problems).toEqual([]);
    expect(appliance.config()).not.toBeNull();
  });

  test('a folder of that name is refused', async () => {
    const appliance = new Appliance();
    appliance.card.putFolder('/boot/headwater.yaml');
    expect((await appliance.start()).importErrors).toEqual([
      'headwater.yaml:1:1: this cannot be read: it is a folder; name the file in it',
    ]);
  });

  test('one with another ending, which Windows hides, is told', async () => {
    const appliance = new Appliance();
    appliance.card.put('/boot/headwater.yaml.txt', 'gateway: { name: gw1 }\n');
    expect((await appliance.start()).importErrors[0]).toContain('rename it to headwater.yaml (Windows');
  });

  test('an empty one, and one with Windows line ends and a byte order mark, is fine', async () => {
    const appliance = new Appliance();
    appliance.boot('');
    expect((await appliance.start()).importErrors).toEqual([]);
    appliance.boot(
      '\ufeff# mine\r\nforwarder:\r\n  sasl:\r\n    mechanism: PLAIN\r\n    username: u\r\n    password: |\r\n      sekrit\r\n',
    );
    expect((await appliance.start()).importErrors).toEqual([]);
    expect(appliance.left()).toBe(
      `# mine\r\nforwarder:\r\n  sasl:\r\n    mechanism: PLAIN\r\n    username: u\r\n    password: ${KEPT}\r\n`,
    );
    expect(appliance.card.text('/data/config/current/secrets/forwarder.sasl.password')).toBe('sekrit\n');
  });
});

test('another image counts with what was imported, unless the two do not go together', async () => {
  const appliance = new Appliance();
  appliance.card.put('/image/headwater.yaml', `${imageSettings}gateway: { site: hall }\n`);
  appliance.boot("forwarder: { topicName: '{site}.{topic}' }\n");
  await appliance.start();
  appliance.card.put('/image/headwater.yaml', `${imageSettings}gateway: { site: yard }\n`);
  expect((await appliance.start()).problems).toEqual([]);
  expect(appliance.config()).toContain('site: yard');
  appliance.card.put('/image/headwater.yaml', imageSettings);
  expect((await appliance.start()).problems).toEqual([
    'settings of the image do not go with those of this device; those before count',
    'gateway.site: write where the gateway stands: forwarder.topicName has {site} in it',
  ]);
  expect(appliance.config()).toContain('site: yard');
});

test('what becomes too long for the gateway to read, with what earlier files said, is refused', async () => {
  const appliance = new Appliance();
  const long = 'u'.repeat(600_000);
  appliance.boot(`forwarder: { sasl: { mechanism: PLAIN, username: ${long}, password: p } }\n`);
  expect((await appliance.start()).importErrors).toEqual([]);
  const source = `{ name: a, url: 'mqtt://a', topics: ['#'], username: ${long} }`;
  appliance.boot(`mqtt: { sources: [${source}] }\n`);
  const { importErrors } = await appliance.start();
  expect(importErrors).toHaveLength(1);
  expect(importErrors[0]).toContain('it becomes longer than 1048576 bytes');
  appliance.boot(`mqtt: { sources: [${source}] }\nforwarder: { sasl: default }\n`);
  expect((await appliance.start()).importErrors).toEqual([]);
});

describe('a power cut', () => {
  /** What has to be so whenever the power comes back. */
  function check(appliance: Appliance, before: string | null, after: string | null): void {
    const config = appliance.config();
    expect([before, after]).toContain(config);
    if (config === null) return;
    // Before the gateway could find nobody who may log in.
    if (config === after) expect(appliance.users.size).toBe(2);
    const system = parseSystemFile(appliance.card.text('/data/config/current/system.json') ?? '');
    expect(system?.config).toBe(sha256(config));
    for (const [name, sum] of Object.entries(system?.files ?? {}))
      expect(sha256(appliance.card.text(`/data/config/current/secrets/${name}`) ?? '')).toBe(sum);
    const left = appliance.left() ?? '';
    if (!left.includes('sekrit-kafka')) {
      // What is gone from the boot partition has to be here.
      expect(config).toBe(after);
      expect(appliance.users.size).toBe(2);
    }
    if (appliance.card.text('/boot/gw1.key') === null) expect(config).toBe(after);
  }

  test.each([
    ['the first import', (_appliance: Appliance) => Promise.resolve()],
    [
      'a later one',
      async (appliance: Appliance) => {
        appliance.boot('gateway: { name: before }\n');
        await appliance.start();
        appliance.boot('gateway: { name: before, site: x }\n');
        await appliance.start();
      },
    ],
  ])('at any step of %s loses nothing, and the next start ends the same', async (_what, history) => {
    const calm = new Appliance();
    await history(calm);
    const before = calm.config();
    withWhole(calm);
    await calm.start();
    const after = calm.config();
    let cuts = 0;
    for (let step = 0; ; step++) {
      for (let seed = 0; seed < 3; seed++) {
        const random = new SimRandom(1000 * step + seed);
        const appliance = new Appliance(() => random.next());
        await history(appliance);
        withWhole(appliance);
        appliance.card.steps = 0;
        appliance.card.cutAfter = step;
        await appliance.start();
        const isCut = appliance.card.steps > step;
        appliance.card.restart();
        if (!isCut) return expect(cuts).toBeGreaterThan(60);
        cuts++;
        check(appliance, before, after);
        expect((await appliance.start()).problems).toEqual([]);
        appliance.card.restart();
        check(appliance, after, after);
        expect({ left: appliance.left(), users: appliance.users, errors: appliance.errors() }).toEqual({
          left: calm.left(),
          users: calm.users,
          errors: null,
        });
        expect((await appliance.card.list('/boot')).toSorted()).toEqual(['ca.pem', 'headwater.yaml']);
      }
    }
  });

  test('leaves no secret outside the data partition', async () => {
    const appliance = withWhole(new Appliance());
    await appliance.start();
    const texts = [
      appliance.left(),
      appliance.config(),
      appliance.card.text('/system/run/issue.d/headwater.issue'),
    ];
    for (const secret of secrets) expect(texts.join('\n')).not.toContain(secret);
  });
});
