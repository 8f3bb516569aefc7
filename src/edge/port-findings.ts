import type { Finding } from '../forwarder/kafka/kafka-findings.ts';
import type { PortName } from '../ingest/wired/port-selection.ts';
import { absentPort, forbiddenPort } from '../ingest/wired/port-trouble.ts';

/** What stands in the way of listening somewhere; `ours` if the gateway of this data folder does it. */
export type ListeningObstacle = 'taken' | 'ours' | 'not-permitted' | 'no-such-address' | null;

/** What stands in the way of opening a serial port. */
export type OpeningObstacle = 'absent' | 'not-permitted' | null;

/** What the doctor has found out about the ports that are configured. */
export interface PortsExamination {
  readonly serial: readonly (PortName & {
    /** What it stands for, or why it stands for nothing, in words. */
    readonly found:
      | { readonly path: string; readonly obstacle: OpeningObstacle }
      | { readonly problem: string };
  })[];
  readonly listeners: readonly {
    /** Such as `mqtt.listen`. */
    readonly setting: string;
    /** `host:port`. */
    readonly address: string;
    readonly obstacle: ListeningObstacle;
  }[];
}

/** What an examination of ports means. Pure. */
export function portFindings({ serial, listeners }: PortsExamination): readonly Finding[] {
  return [
    ...serial.map(({ kind, name, found }): Finding => {
      const about = `${kind} ${name}`;
      if ('problem' in found) return { level: 'wrong', about, text: found.problem };
      const { path, obstacle } = found;
      if (obstacle === null) return { level: 'ok', about, text: `is ${path}` };
      const text = obstacle === 'absent' ? absentPort(kind, path) : forbiddenPort(path);
      return { level: 'wrong', about, text };
    }),
    ...listeners.map(({ setting, address, obstacle }): Finding => {
      const about = setting;
      const other = `set ${setting} to another one`;
      if (obstacle === null) return { level: 'ok', about, text: `${address} is free` };
      if (obstacle === 'ours') return { level: 'ok', about, text: `the gateway listens on ${address}` };
      const problem = {
        taken: `another program listens on ${address}: stop that one, or ${other}`,
        'not-permitted': `this user may not listen on ${address}: ports below 1024 are for root, so ${other}`,
        'no-such-address': `this machine has no address for ${address} now: wait for its network, or ${other}`,
      }[obstacle];
      return { level: 'wrong', about, text: problem };
    }),
  ];
}
