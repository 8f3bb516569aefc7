import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import mqtt, { type MqttClient } from 'mqtt';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { certificateAuthority } from '../support/certificates.ts';
import { type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { PseudoTerminals } from '../support/pseudo-terminals.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { startBrowser, Visitor } from './visitor.ts';

const timeout = 15_000;
const series = 'anomaly.series=[{match: "readings:sensors/boiler:temperature", min: 0, max: 90, unit: "°C"}]';
const password = 'correct horse battery';
/** Readings are on the page so soon after they were published. */
const SEEN_MS_MAX = 2_000;

let browser: Browser;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let gateway: RunningGateway;
let client: MqttClient;
let visitors: Visitor[];
let scheme: 'http' | 'https';

beforeAll(async () => {
  browser = await startBrowser();
});

afterAll(async () => {
  await browser.close();
});

beforeEach(async () => {
  folder = await temporaryFolder();
  visitors = [];
  scheme = 'http';
});

afterEach(async () => {
  const seen = visitors.map(({ origins, faults }) => ({ origins: [...origins], faults }));
  for (const visitor of visitors) await visitor[Symbol.asyncDispose]();
  client.end(true);
  await gateway.kill('SIGKILL');
  await folder[Symbol.asyncDispose]();
  for (const { origins, faults } of seen) {
    expect(origins).toEqual([`${scheme}://${gateway.admin}`]);
    expect(faults).toEqual([]);
  }
});

async function start(...set: readonly string[]): Promise<void> {
  gateway = await startGateway({ dataDir: join(folder.path, 'data'), set: ['gateway.name=lab-3', ...set] });
  client = await mqtt.connectAsync(`mqtt://${gateway.mqtt}`);
}

async function visit({ isTrusted, path }: { isTrusted: boolean; path?: string }): Promise<Visitor> {
  const visitor = await Visitor.arrive(browser, isTrusted ? gateway.token : undefined);
  visitors.push(visitor);
  await visitor.open(`${scheme}://${gateway.admin}`, path);
  return visitor;
}

const publish = async (topic: string, payload: string): Promise<void> => {
  await client.publishAsync(topic, payload, { qos: 1 });
};

/** A series that is known well enough to have an expected range. */
async function publishUsual(device: string): Promise<void> {
  for (let count = 0; count < 60; count += 1)
    await publish(`sensors/${device}`, `{"temperature":${20 + (count % 7) / 10}}`);
}

describe('who gets in', () => {
  test('the first visitor claims the gateway with its code, later ones log in, and nobody else sees anything', async () => {
    await start();
    const code = (await readFile(join(gateway.dataDir, 'claim-code'), 'utf8')).trim();
    const visitor = await visit({ isTrusted: false, path: `/#claim=${code}` });
    const { page } = visitor;
    await expect.poll(() => page.getByLabel('One-time code').inputValue(), { timeout }).toBe(code);
    expect(page.url()).toBe(`http://${gateway.admin}/`);
    await visitor.shoot('claim');
    await page.getByLabel('New password').fill(password);
    await page.getByLabel('The same again').fill('something else');
    await page.getByRole('button', { name: 'Claim' }).click();
    await page.getByText('The two passwords differ').waitFor();
    await page.getByLabel('The same again').fill(password);
    await page.getByRole('button', { name: 'Claim' }).click();
    await page
      .getByText('● live')
      .or(page.getByText('live', { exact: true }))
      .first()
      .waitFor();

    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    expect(await page.getByRole('heading', { name: 'What arrives' }).count()).toBe(0);
    await page.getByLabel('Password').fill('guessed');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page
      .getByRole('alert')
      .filter({ hasText: /password/i })
      .waitFor();
    await visitor.shoot('login-refused');
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { name: 'What arrives' }).waitFor();
  });
});

describe('by HTTPS, as beyond loopback', () => {
  test('the claim and what follows from it are the same', async () => {
    scheme = 'https';
    const file = (name: string) => join(folder.path, name);
    const { certificate, key } = certificateAuthority('test').issue({ name: 'lab-3', hosts: ['127.0.0.1'] });
    await writeFile(file('cert.pem'), certificate);
    await writeFile(file('key.pem'), key, { mode: 0o600 });
    await start(`admin.tls.certFile=${file('cert.pem')}`, `admin.tls.keyFile=${file('key.pem')}`);
    const code = (await readFile(join(gateway.dataDir, 'claim-code'), 'utf8')).trim();
    const { page } = await visit({ isTrusted: false, path: `/#claim=${code}` });
    await page.getByLabel('New password').fill(password);
    await page.getByLabel('The same again').fill(password);
    await page.keyboard.press('Enter');
    await page
      .getByRole('status')
      .filter({ hasText: /^live$/ })
      .waitFor();
    await publish('sensors/hall', '21.25');
    await page.getByRole('cell', { name: '21.25', exact: true }).waitFor();
    expect(await page.context().cookies()).toMatchObject([
      { secure: true, httpOnly: true, sameSite: 'Strict' },
    ]);
  });
});

describe('what arrives', () => {
  test('a reading is on the page within two seconds of being published, with its course and age', async () => {
    await start();
    const { page } = await visit({ isTrusted: true });
    await page.getByText('No series yet').waitFor();
    const delays: number[] = [];
    for (const value of [21.25, 22.5, 23.75]) {
      const sentMs = performance.now();
      await publish('sensors/hall', `{"temperature":${value}}`);
      await page.getByRole('cell', { name: String(value), exact: true }).waitFor();
      delays.push(performance.now() - sentMs);
    }
    expect(Math.max(...delays)).toBeLessThan(SEEN_MS_MAX);
    const row = page.getByRole('row', { name: /sensors\/hall/ });
    await expect
      .poll(() => row.locator('.sparkline path').getAttribute('d'), { timeout })
      .toMatch(/^M.*L.*L/);
    await row.getByText('just now').waitFor();
    await page.getByRole('row', { name: /^MQTT .*3$/ }).waitFor();
    await page.getByRole('row', { name: /^readings 3 / }).waitFor();
  });

  test('a client is on the page while it is connected, with what came from it', async () => {
    await start();
    const visitor = await visit({ isTrusted: true });
    const { page } = visitor;
    await page.getByText('1 client', { exact: true }).waitFor();
    const name = '<b>pump</b>';
    const pump = await mqtt.connectAsync(`mqtt://${gateway.mqtt}`, { clientId: name, reconnectPeriod: 0 });
    await pump.publishAsync('t', '1', { qos: 1 });
    const row = page.getByRole('row', {
      name: /<b>pump<\/b> no user · MQTT from 127\.0\.0\.1:\d+ 1 just now/,
    });
    await row.waitFor();
    await page.getByText('2 clients', { exact: true }).waitFor();
    await visitor.shoot('clients');
    await page.getByLabel('Look for MQTT clients').fill('PUMP');
    await page.getByText('1 of 2 clients').waitFor();
    await pump.endAsync();
    await row.waitFor({ state: 'detached' });
    await page.getByText('None of 1 client fits “PUMP”.').waitFor();
  });

  test('what is dropped of a client is on the page, with what to do', async () => {
    await start();
    const user = { name: 'pump', password, access: { publish: ['pumps/#'] } };
    const headers = { 'content-type': 'application/json' };
    const added = await gateway.api('/api/users', { method: 'POST', headers, body: JSON.stringify(user) });
    expect(added.status).toBe(201);
    const { page } = await visit({ isTrusted: true });
    const pump = await mqtt.connectAsync(`mqtt://${gateway.mqtt}`, {
      clientId: 'pump-1',
      username: 'pump',
      password,
      reconnectPeriod: 0,
    });
    await pump.publishAsync('elsewhere', '1', { qos: 0 });
    await page.getByText(/1 message dropped, the last .*: user pump may not publish to elsewhere/).waitFor();
    await page.getByRole('row', { name: /pump-1 user pump · MQTT/ }).waitFor();
    await pump.endAsync();
  });

  test('a name that is HTML is shown as text, wherever it stands', async () => {
    await start();
    const { page } = await visit({ isTrusted: true });
    const name = 'sensors/<img src=x onerror=alert(1)>';
    for (let count = 0; count < 40; count += 1) await publish(name, String(20 + (count % 5)));
    await publish(name, '-127');
    await page.getByRole('row', { name: /<img src=x/ }).waitFor();
    await page
      .getByText(`readings:${name} sends a value that stands for a fault`, { exact: false })
      .waitFor();
    await page
      .getByRole('row', { name: /<img src=x/ })
      .getByRole('button')
      .click();
    await page.getByRole('heading', { name: /<img src=x/ }).waitFor();
    expect(await page.locator('img').count()).toBe(1);
  });

  test('of many series some are shown, and the others are found', async () => {
    await start();
    const { page } = await visit({ isTrusted: true });
    for (let count = 100; count < 170; count += 1) await publish(`sensors/s${count}`, '1');
    await page.getByText('70 series, 1 to 50 shown').waitFor();
    expect(await page.locator('table.series tbody tr').count()).toBe(50);
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('70 series, 51 to 70 shown').waitFor();
    await page.getByRole('row', { name: /s169/ }).waitFor();
    await page.getByLabel('Look for series').fill('S123');
    await page.getByText('1 of 70 series').waitFor();
    await page.getByRole('row', { name: /s123/ }).waitFor();
    expect(await page.locator('table.series tbody tr').count()).toBe(1);
  });

  test('without detection the page says so, and shows the rest', async () => {
    await start('anomaly.enabled=false');
    const { page } = await visit({ isTrusted: true });
    await publish('sensors/hall', '1');
    await page.getByText('Series are known to anomaly detection only').waitFor();
    await page.getByRole('row', { name: /^readings 1 / }).waitFor();
    await page.getByText('No cluster is configured').waitFor();
  });
});

describe('what is wrong', () => {
  test('a fault appears as an alert, is acknowledged with the keyboard, and shelved', async () => {
    await start(series);
    const visitor = await visit({ isTrusted: true });
    const { page } = visitor;
    await page.getByText('Nothing is wrong.').waitFor();
    await publishUsual('boiler');
    await publish('sensors/boiler', '{"temperature":121.5}');
    const alert = page
      .getByRole('list', { name: 'Alerts' })
      .getByRole('listitem')
      .filter({ hasText: 'out-of-range' });
    await alert.getByText('121.5 is above the limit 90', { exact: false }).waitFor();
    await alert.getByText(/urgent/).waitFor();
    await visitor.shoot('alert');

    const button = alert.getByRole('button', { name: 'Acknowledge' });
    await button.focus();
    // The page goes on under the fingers of whoever uses it: what has the focus keeps it.
    const before = await page.locator('#about').textContent();
    await expect.poll(() => page.locator('#about').textContent(), { timeout }).not.toBe(before);
    await page.keyboard.press('Enter');
    await alert.getByText('acknowledged by the page', { exact: false }).waitFor();
    const { alerts } = (await (await gateway.api('/api/alerts')).json()) as {
      alerts: readonly { kind: string; acknowledgedBy: string | null }[];
    };
    expect(alerts).toMatchObject([{ kind: 'out-of-range', acknowledgedBy: 'the page' }]);
    // Also told to those who listen.
    await page
      .getByRole('status')
      .filter({ hasText: '1 alert, all acknowledged' })
      .waitFor({ state: 'attached' });

    await alert.getByLabel('For how long to shelve it').selectOption('8 hours');
    await alert.getByRole('button', { name: 'Shelve for' }).click();
    await alert.getByText('shelved until', { exact: false }).waitFor();
    await alert.getByRole('button', { name: 'Take off the shelf' }).click();
    await alert.getByRole('button', { name: 'Shelve for' }).waitFor();
  });

  test('a plot shows the course of a series, its expected range, and what was wrong', async () => {
    await start(series);
    const visitor = await visit({ isTrusted: true });
    const { page } = visitor;
    await publishUsual('boiler');
    await publish('sensors/boiler', '{"temperature":121.5}');
    await page
      .getByRole('list', { name: 'Alerts' })
      .getByRole('button', { name: 'readings:sensors/boiler:temperature' })
      .click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('61 readings').waitFor();
    await dialog.getByText(/Expected range: [0-9.]+ to [0-9.]+ °C/).waitFor();
    await dialog.getByText('out-of-range').waitFor();
    await dialog.locator('canvas').waitFor();
    await visitor.shoot('plot', false);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
  });

  test('bytes that could not be read are shown with their reason', async () => {
    await using terminals = await PseudoTerminals.start(folder.path);
    await start(`serial=[{name: air, path: ${terminals.path}, baud: 9600, framing: line, decoder: json}]`);
    const visitor = await visit({ isTrusted: true });
    const { page } = visitor;
    await terminals.send('{"pm25": 7}\n<b>\x01\x02 nonsense\n');
    await page.getByText('Dead letters: input that could not be read: 1').click();
    const letter = page.getByRole('listitem').filter({ hasText: 'from air' });
    await letter.getByText('3C 62 3E 01 02 20 6E 6F', { exact: false }).waitFor();
    await letter.getByText('<b>·· nonsense', { exact: false }).waitFor();
    await letter.locator('strong').filter({ hasText: /not-/ }).waitFor();
    await page.getByRole('row', { name: /^serial ports / }).waitFor();
    await visitor.shoot('dead-letter');
  });
});

describe('who looks', () => {
  test('gives way when the page is behind another one, and is back when it is seen again', async () => {
    await start('anomaly.enabled=false');
    const { page } = await visit({ isTrusted: true });
    const about = page.locator('#about');
    await about.getByText('running for').waitFor();
    const others = new AbortController();
    const streams: Promise<unknown>[] = [];
    const look = async (): Promise<number> => {
      const response = await gateway.api('/api/events', { signal: others.signal });
      // A stream that nobody reads ends when its response is collected as garbage.
      streams.push(response.text().catch(() => 'left'));
      return response.status;
    };
    for (let count = 1; count < limits.viewersMax; count += 1) expect(await look()).toBe(200);
    expect(await look()).toBe(429);
    const hide = (isHidden: boolean) =>
      page.evaluate(`Object.defineProperty(document, 'hidden', { configurable: true, value: ${isHidden} });
        document.dispatchEvent(new Event('visibilitychange'))`);
    await hide(true);
    await expect.poll(look, { timeout }).toBe(200);
    await hide(false);
    // Eight others look now: it says so, in the gateway's own words.
    await page
      .getByRole('status')
      .filter({ hasText: /NOT LIVE since .*pages are open already/ })
      .waitFor();
    others.abort();
    await Promise.all(streams);
    await page
      .getByRole('status')
      .filter({ hasText: /^live$/ })
      .waitFor();
  });
});

describe('when the gateway goes', () => {
  test('the page says since when it is not live, and goes on by itself when the gateway is back', async () => {
    await start();
    const visitor = await visit({ isTrusted: true });
    const { page } = visitor;
    await publish('sensors/hall', '21.5');
    await page.getByRole('cell', { name: '21.5', exact: true }).waitFor();
    const { admin } = gateway;
    await gateway.kill('SIGKILL');
    await page
      .getByRole('status')
      .filter({ hasText: /NOT LIVE since \d\d:\d\d:\d\d/ })
      .waitFor();
    // What was known stays to be read, but not as if it were of now.
    expect(await page.locator('body.stale').count()).toBe(1);
    expect(await page.getByRole('cell', { name: '21.5', exact: true }).count()).toBe(1);
    await visitor.shoot('not-live');
    await start(`admin.listen=${admin}`);
    await page
      .getByRole('status')
      .filter({ hasText: /^live$/ })
      .waitFor();
    await publish('sensors/hall', '22.75');
    await page.getByRole('cell', { name: '22.75', exact: true }).waitFor();
  });

  test('whoever has to log in again is asked to', async () => {
    await start();
    const { page } = await visit({ isTrusted: false });
    const code = (await readFile(join(gateway.dataDir, 'claim-code'), 'utf8')).trim();
    await page.getByLabel('One-time code').fill(code);
    await page.getByLabel('New password').fill(password);
    await page.getByLabel('The same again').fill(password);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'What arrives' }).waitFor();
    const { admin } = gateway;
    await gateway.kill('SIGKILL');
    await start(`admin.listen=${admin}`);
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
  });
});
