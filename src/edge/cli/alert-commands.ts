import { limits } from '../../core/limits.ts';
import { duration } from '../config/setting-kinds.ts';
import { acknowledgeAlert, listAlerts, shelveAlert, unshelveAlert } from './alerts.ts';
import type { CommandContext } from './command-context.ts';
import { type CommandLine, nonEmpty, settingOf } from './command-line.ts';

/** Adds `alerts` with its commands: what is wrong, and who has seen it. */
export function addAlerts(program: CommandLine, { terminal, gateway, endWith }: CommandContext): void {
  const alerts = program
    .command('alerts')
    .description('list, acknowledge or shelve the alerts of the running gateway');
  const id = 'the id of the alert, or its beginning';
  alerts
    .command('list')
    .description('list the open alerts, the worst first')
    .option('--all', 'also those that are pending or shelved')
    .option('--json', 'as one JSON object')
    .action(async ({ all, json }: { all?: true; json?: true }) =>
      endWith(await listAlerts(await gateway(), terminal, { all: all === true, json: json === true })),
    );
  alerts
    .command('ack')
    .description('say that somebody has seen an alert')
    .argument('<id>', id)
    .option('--by <name>', 'who (default: the user of this command)', nonEmpty)
    .action(async (alert: string, { by }: { by?: string }) =>
      endWith(await acknowledgeAlert(await gateway(), terminal, alert, by)),
    );
  alerts
    .command('shelve')
    .description('be told nothing of this kind of alert of this series for a time; it is still watched')
    .argument('<id>', id)
    .requiredOption('--for <duration>', 'such as 2h', settingOf(duration(1, limits.alertShelvedMsMax)))
    .action(async (alert: string, options: { for: number }) =>
      endWith(await shelveAlert(await gateway(), terminal, alert, options.for)),
    );
  alerts
    .command('unshelve')
    .description('be told of it again')
    .argument('<id>', id)
    .action(async (alert: string) => endWith(await unshelveAlert(await gateway(), terminal, alert)));
}
