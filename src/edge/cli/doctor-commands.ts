import type { Address } from '../config/address.ts';
import type { CommandContext } from './command-context.ts';
import { type CommandLine, collectBroker } from './command-line.ts';
import { doctor, doctorKafka } from './doctor.ts';

/** Adds `doctor` and the command below it. */
export function addDoctor(
  program: CommandLine,
  { terminal, machine, config, endWith }: CommandContext,
): void {
  const all = program
    .command('doctor')
    .description(
      'look at the machine, the data folder, ports and the cluster, and say what to do; exit code 1 if something is wrong',
    )
    .option('--json', 'as one JSON object')
    .allowExcessArguments(false)
    .action(async ({ json }: { json?: true }) =>
      endWith(await doctor(await config(), machine, terminal, json === true)),
    );
  all
    .command('kafka')
    .description(
      'dial the central cluster, and every address that it advertises; exit code 1 if something is wrong',
    )
    .option(
      '--broker <host:port>',
      'ask this one instead of forwarder.brokers; may be repeated',
      collectBroker,
    )
    .action(async ({ broker }: { broker?: readonly Address[] }) => {
      const configured = await config();
      const brokers = broker ?? configured.forwarder.brokers;
      // Commander gives it to the command above.
      const { json } = all.opts<{ json?: true }>();
      endWith(await doctorKafka({ config: configured, brokers }, terminal, json === true));
    });
}
