import { OperatingError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { nodeClock } from '../../platform/node-clock.ts';
import type { Address } from '../config/address.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

export interface DoctorRequest {
  /** Where to ask for the cluster. */
  readonly brokers: readonly Address[];
  /** The gateway's name. */
  readonly gateway: string;
}

/**
 * `headwater doctor kafka`: dials the brokers and what they advertise, and says what is wrong and what to change.
 * Needs no running gateway. Ends with 1 if something is wrong.
 * @throws OperatingError `bad-configuration` if there is no broker to ask
 */
export async function doctorKafka(request: DoctorRequest, terminal: Terminal): Promise<ExitCode> {
  if (request.brokers.length === 0) {
    throw new OperatingError(
      'bad-configuration',
      'no cluster is configured: set forwarder.brokers, or name a broker with --broker host:port',
    );
  }
  // Loaded only now: the Kafka library takes as long to load as all other commands need to end.
  const [{ examineKafka }, { findingsOf }] = await Promise.all([
    import('../../forwarder/kafka-doctor.ts'),
    import('../../forwarder/kafka-findings.ts'),
  ]);
  const timeoutMs = limits.doctorTimeoutMs;
  const findings = findingsOf(await examineKafka({ ...request, clock: nodeClock, timeoutMs }));
  const width = Math.max(...findings.map(({ about }) => about.length));
  for (const { isWrong, about, text } of findings) {
    await terminal.output.write(`${isWrong ? 'WRONG' : 'ok   '}  ${about.padEnd(width)}  ${text}\n`);
  }
  const wrongs = findings.filter(({ isWrong }) => isWrong).length;
  const things = wrongs === 1 ? '1 thing is wrong' : `${wrongs} things are wrong`;
  await terminal.output.write(wrongs === 0 ? 'all is well\n' : `${things}\n`);
  return wrongs === 0 ? exitCodes.ok : exitCodes.failed;
}
