import { limits } from '../../core/limits.ts';
import { compressions, laneNames } from '../../log/types.ts';
import { choice, duration, size } from '../config/setting-kinds.ts';
import type { TopicChange } from '../topic-changes.ts';
import type { CommandContext } from './command-context.ts';
import { type CommandLine, orDefault, settingOf, wholeNumber } from './command-line.ts';
import { exitCodes } from './exit-code.ts';
import {
  createTopic,
  deleteTopic,
  describeTopic,
  listTopics,
  type SettingOptions,
  setTopic,
  settingsPatch,
} from './topics.ts';

/** Adds `topics` with its commands. */
export function addTopics(program: CommandLine, { terminal, gateway, endWith }: CommandContext): void {
  const topics = program
    .command('topics')
    .description('list, describe, create, set or delete topics of the running gateway');
  topics
    .command('list')
    .description('list the topics and how far they reach')
    .option('--json', 'as one JSON object')
    .action(async ({ json }: { json?: true }) =>
      endWith(await listTopics(await gateway(), terminal, json === true)),
    );
  topics
    .command('describe')
    .description('show the settings of a topic, where they come from, and how far its partitions reach')
    .argument('<name>')
    .option('--json', 'as one JSON object')
    .action(async (name: string, { json }: { json?: true }) =>
      endWith(await describeTopic(await gateway(), terminal, name, json === true)),
    );
  withSettings(topics.command('create'))
    .description('create a topic')
    .argument('<name>')
    .option('--partitions <count>', 'how many partitions', partitionCount, 1)
    .action(async (name: string, options: TopicOptions & { partitions: number }, command: CommandLine) => {
      const { partitions, settings } = topicChange(options, command);
      const topic = { name, partitions: partitions ?? 1, ...(settings && { settings }) };
      endWith(await createTopic(await gateway(), terminal, topic));
    });
  withSettings(topics.command('set'))
    .description(
      'change what is given of a topic, and nothing else; the value "default" takes a setting back',
    )
    .argument('<name>')
    .option('--partitions <count>', 'how many partitions, at least as many as now', partitionCount)
    .action(async (name: string, options: TopicOptions, command: CommandLine) => {
      const change = topicChange(options, command);
      if (Object.keys(change).length === 0)
        command.error('error: say what to change, such as --priority 7', { exitCode: exitCodes.usage });
      endWith(await setTopic(await gateway(), terminal, name, change));
    });
  topics
    .command('delete')
    .description('delete a topic with all its records; asks first')
    .argument('<name>')
    .option('--yes', 'do not ask')
    .action(async (name: string, { yes }: { yes?: true }, command: CommandLine) => {
      if (yes !== true && !terminal.isInteractive)
        command.error('error: nobody is there to be asked; give --yes to delete the topic with its records', {
          exitCode: exitCodes.usage,
        });
      endWith(await deleteTopic(await gateway(), terminal, name, yes === true));
    });
}

interface TopicOptions extends SettingOptions {
  readonly partitions?: number;
}

const partitionCount = wholeNumber(1, limits.partitionsPerTopicMax);
const centralCount = wholeNumber(1, limits.centralPartitionsMax);

/** The options for the settings of a topic, in the words of the configuration. */
function withSettings(command: CommandLine): CommandLine {
  return command
    .option(
      '--retention-bytes <size>',
      'let records go above so many bytes in a partition, such as 1GiB',
      orDefault(settingOf(size(1, limits.storedBytesMax))),
    )
    .option(
      '--retention-age <duration>',
      'let records go at this age, such as 30d',
      orDefault(settingOf(duration(1, limits.retentionAgeMsMax))),
    )
    .option('--until-forwarded', 'let records go as soon as the cluster has them, instead of the two')
    .option('--drop-unforwarded', 'let retention also remove what the cluster does not have yet')
    .option('--no-drop-unforwarded', 'let retention wait for the cluster')
    .option(
      '--segment <size>',
      'size of a segment, such as 8MiB; retention removes whole ones',
      orDefault(settingOf(size(limits.segmentBytesMin, limits.segmentBytesMax))),
    )
    .option('--compression <codec>', compressions.join(', '), orDefault(settingOf(choice(compressions))))
    .option(
      '--priority <number>',
      `0 to ${limits.topicPriorityMax}; under a full disk budget, a lower one loses records first`,
      orDefault(wholeNumber(0, limits.topicPriorityMax)),
    )
    .option('--lane <name>', 'alarm goes first, or bulk', orDefault(settingOf(choice(laneNames))))
    .option('--central-partitions <count>', 'so many in the cluster, by key', orDefault(centralCount));
}

function topicChange({ partitions, ...options }: TopicOptions, command: CommandLine): TopicChange {
  const { untilForwarded, retentionBytes, retentionAge } = options;
  if (untilForwarded && (retentionBytes !== undefined || retentionAge !== undefined))
    command.error('error: --until-forwarded takes the place of --retention-bytes and --retention-age', {
      exitCode: exitCodes.usage,
    });
  const settings = settingsPatch(options);
  return { ...(partitions !== undefined && { partitions }), ...(settings && { settings }) };
}
