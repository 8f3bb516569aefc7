import { describe, expect, test } from 'vitest';
import {
  type ApplianceFacts,
  errorsText,
  screenText,
  statusText,
} from '../../../src/edge/appliance/announcement.ts';

const fingerprint = Array.from({ length: 32 }, (_, index) => index.toString(16).padStart(2, '0'))
  .join(':')
  .toUpperCase();

const facts: ApplianceFacts = {
  version: '1.2.3',
  hostName: 'headwater-23ab',
  addresses: ['192.0.2.7'],
  adminPort: 8443,
  isHttps: true,
  fingerprint,
  claimCode: 'ABCD-EFGH-JKMN-PQRS',
  isClaimed: false,
  isClockSet: false,
  importErrors: [],
  problems: [],
  closed: ['mqtt.listen'],
  stillCounting: [],
};

describe('what is told of an appliance', () => {
  test('until somebody has claimed it, with the code and what the browser has to show', () => {
    expect(statusText(facts).split('\r\n')).toEqual([
      'Headwater 1.2.3 on headwater-23ab',
      '',
      'name         headwater-23ab.local',
      'addresses    192.0.2.7',
      'page         https://headwater-23ab.local:8443/',
      '             https://192.0.2.7:8443/',
      'claim code   ABCD-EFGH-JKMN-PQRS   (sets the password of the page, once)',
      'certificate  SHA-256, which the browser has to show as well:',
      '             00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:',
      '             10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F',
      'clock        not set by a time server yet',
      'MQTT         on this device only until there are users: write appliance.mqttUsers into headwater.yaml',
      '',
      'headwater.yaml: nothing waits to be imported.',
      '',
    ]);
  });

  test('without them afterwards', () => {
    const text = statusText({ ...facts, claimCode: null, isClaimed: true, closed: [] });
    expect(text).not.toMatch(/claim|SHA-256|00:01|MQTT/);
    expect(text).toContain('https://headwater-23ab.local:8443/');
  });

  test('with errors on the screen, where no text can be taken for an escape or a line', () => {
    const importErrors = Array.from(
      { length: 20 },
      (_, index) => `headwater.yaml:${index}:1: C:\\n\u001b[2J`,
    );
    const text = screenText({ ...facts, importErrors }, '2026-11-27 04:00 UTC');
    expect(text).toContain('time         2026-11-27 04:00 UTC\n');
    expect(text).toContain('  headwater.yaml:0:1: C:\\\\n?[2J\n');
    expect(text).toContain('  and 12 more: see headwater-errors.txt on the boot partition\n');
    expect(statusText({ ...facts, importErrors })).toContain('NOT imported');
    expect(
      errorsText(importErrors)
        .split('\r\n')
        .filter((line) => line.startsWith('headwater.yaml:')),
    ).toHaveLength(20);
  });
});
