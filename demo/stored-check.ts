import type { AdminClient } from '../src/edge/cli/admin-client.ts';
import type { MqttDevice } from './mqtt-device.ts';
import { payloadOf } from './mqtt-device.ts';

/** A record as the admin API gives it. */
interface Row {
  readonly key: string;
  readonly value: string;
  readonly timestampMs: number;
}

/** What was sent, beside what the log has. */
export interface StoredCheck {
  readonly overMqtt: number;
  readonly acknowledged: number;
  readonly overSerial: number;
  /** What differs, in words; empty if the log has all that was sent, once, in order. */
  readonly differences: readonly string[];
}

/** Reads everything back, and compares it with what each sender says it has sent. */
export async function checkStored(
  admin: AdminClient,
  devices: readonly MqttDevice[],
  lines: readonly string[],
): Promise<StoredCheck> {
  const ofPlant = Map.groupBy(await recordsOf(admin, 'plant'), ({ key }) => key);
  const ofSerial = (await recordsOf(admin, 'readings')).filter(({ key }) => key === 'tank');
  const total = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0);
  return {
    overMqtt: total(devices.map(({ sent }) => sent)),
    acknowledged: total(devices.map(({ acknowledged }) => acknowledged)),
    overSerial: lines.length,
    differences: [
      ...devices.flatMap(({ sensor, sent }) => {
        const expected = sensor.readings
          .slice(0, sent)
          .map((reading) => `${reading.timeMs} ${payloadOf(sensor, reading)}`);
        const stored = (ofPlant.get(sensor.device) ?? []).map(
          ({ timestampMs, value }) => `${timestampMs} ${value}`,
        );
        return differenceOf(sensor.device, expected, stored);
      }),
      ...differenceOf(
        'tank',
        lines.map((line) => line.trimEnd()),
        ofSerial.map(({ value }) => value),
      ),
    ],
  };
}

/** The first difference between what was sent and what is stored, or none. */
export function differenceOf(
  sender: string,
  sent: readonly string[],
  stored: readonly string[],
): readonly string[] {
  const at = sent.findIndex((reading, index) => reading !== stored[index]);
  if (at === -1 && sent.length === stored.length) return [];
  const number = at === -1 ? sent.length : at;
  return [
    `${sender} has sent ${sent.length} readings, ${stored.length} are stored; the first that differs is number ${number}: ` +
      `sent ${sent[number] ?? 'nothing'}, stored ${stored[number] ?? 'nothing'}`,
  ];
}

async function recordsOf(admin: AdminClient, topic: string): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for await (const line of admin.lines(
    `/api/records?topic=${topic}&follow=false`,
    new AbortController().signal,
  ))
    rows.push(JSON.parse(line.toString('utf8')) as Row);
  return rows;
}
