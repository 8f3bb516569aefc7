import type { Address } from '../config/address.ts';
import type { CommandContext } from './command-context.ts';
import { type CommandLine, collectBroker } from './command-line.ts';
import { doctorKafka } from './doctor.ts';

/** Adds `doctor` with its command. */
export function addDoctor(program: CommandLine, { terminal, config, endWith }: CommandContext): void {
  program
    .command('doctor')
    .description('find out why something does not work')
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
      endWith(await doctorKafka({ config: configured, brokers }, terminal));
    });
}
