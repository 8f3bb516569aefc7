import { appendSome, openSealingLog, partitionsPerTopic, sealedTopics } from './sealing-log.ts';

/*
 * A process to be killed: it appends to the log in the folder that it is given as fast as it can, and prints a line whenever
 * journal files were sealed.
 */
const log = await openSealingLog(process.argv[2] ?? '', (files) => console.log(`sealed ${files}`));
for (const [compression, topic] of Object.entries(sealedTopics)) {
  await log.growTopic(topic, partitionsPerTopic);
  await log.setTopic(topic, {
    compression: compression as keyof typeof sealedTopics,
    segmentBytes: 64 * 1024,
  });
}
for (;;) await appendSome(log);
