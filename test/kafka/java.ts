import { join } from 'node:path';

/** Parameters of `java` that run a class of Kafka small and quick to start: one collector thread, one compiler. */
export const javaParameters = (
  jarFolder: string,
  heapMib: number,
  logLevel: 'info' | 'warn',
): readonly string[] => [
  `-Xmx${heapMib}m`,
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-XX:+PerfDisableSharedMem',
  `-Dlog4j2.configurationFile=${join(import.meta.dirname, 'log4j2.properties')}`,
  `-Dheadwater.log.level=${logLevel}`,
  '-cp',
  join(jarFolder, '*'),
];
