import { limits } from '../../core/limits.ts';
import type { Finding } from '../../forwarder/kafka/kafka-findings.ts';
import { answerFor, machineLookUp } from '../../platform/name-lookup.ts';
import { nodeClock } from '../../platform/node-clock.ts';
import { timeServers } from '../../platform/time-servers.ts';
import type { Config } from '../config/schema.ts';
import { upstreamWarnings } from '../mqtt-sources/upstream-access.ts';
import { nameFindings, neededNames } from '../name-findings.ts';

/** Looks up the names that are configured, of cluster, brokers, Modbus and time servers, all at the same time. */
export async function examineNames(config: Config): Promise<readonly Finding[]> {
  const asking = { lookUp: machineLookUp, clock: nodeClock, timeoutMs: limits.doctorNameMsMax };
  const names = neededNames(config, await timeServers());
  return nameFindings(
    await Promise.all(names.map(async (name) => ({ ...name, answer: await answerFor(name.host, asking) }))),
  );
}

/** What the gateway would warn of before it connects to the brokers of `mqtt.sources`, none of which is dialled. */
export async function examineSources({ mqtt }: Config): Promise<readonly Finding[]> {
  const surroundings = { clock: nodeClock, environment: process.env };
  const ofEach = await Promise.all(
    mqtt.sources.map(async (source) =>
      (await upstreamWarnings(source, surroundings)).map(
        (text): Finding => ({ level: 'warning', about: `source ${source.name}`, text }),
      ),
    ),
  );
  return ofEach.flat();
}
