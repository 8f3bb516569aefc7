import { OperatingError } from '../../core/errors.ts';
import { type ConfigRequest, configSources, loadConfig } from '../config/load-config.ts';
import { type FoundDataDir, findDataDir } from '../config/sound-part.ts';
import type { Machine } from '../machine.ts';
import { AdminClient } from './admin-client.ts';
import { addAdmin } from './admin-commands.ts';
import { addAlerts } from './alert-commands.ts';
import { addAppliance } from './appliance-commands.ts';
import { addBackup } from './backup-commands.ts';
import { showCertificate } from './certificate.ts';
import { type CommandLine, rootCommand, usageExitCode } from './command-line.ts';
import { addCompletion } from './completion-commands.ts';
import { addConfig } from './config-commands.ts';
import { addDevices } from './device-commands.ts';
import { addDoctor } from './doctor-commands.ts';
import { type ExitCode, exitCodeFor, exitCodes } from './exit-code.ts';
import { addRecords } from './record-commands.ts';
import { addRoutes } from './route-commands.ts';
import { run, type StartGateway } from './run.ts';
import { addSerial } from './serial-commands.ts';
import { addStatus } from './status-commands.ts';
import { addStoredFiles } from './stored-file-commands.ts';
import type { Terminal } from './terminal.ts';
import { addTopics } from './topic-commands.ts';

export interface Product {
  readonly version: string;
  readonly startGateway: StartGateway;
  readonly machine: Pick<Machine, 'serialDevices' | 'openPort'>;
}

/**
 * Runs one command line (without the names of node and script) and resolves to its exit code. Errors that a user can
 * mend are printed; any other error is one of ours and is thrown.
 */
export async function runCommandLine(
  commandLine: readonly string[],
  product: Product,
  terminal: Terminal,
): Promise<number> {
  let exitCode: ExitCode = exitCodes.ok;
  const program = commands(product, terminal, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...commandLine], { from: 'user' });
    const { failure } = terminal.output;
    if (failure === undefined) return exitCode;
    throw new OperatingError('output-failed', `the output cannot be written: ${failure.message}`, {
      cause: failure,
    });
  } catch (error) {
    const usage = usageExitCode(error);
    if (usage !== undefined) return usage;
    const code = exitCodeFor(error);
    if (code === undefined || !(error instanceof OperatingError)) throw error;
    await terminal.errors.write(`${error.message}\n`);
    return code;
  }
}

function commands(product: Product, terminal: Terminal, endWith: (code: ExitCode) => void): CommandLine {
  const program = rootCommand(product.version, terminal);
  const request = (): ConfigRequest => {
    const { config, set = [] } = program.opts<{ config?: string; set?: readonly string[] }>();
    const { workingDirectory, hostName, configVariable } = terminal;
    return { configFile: config, configVariable, sets: set, workingDirectory, hostName };
  };
  const config = async () => (await loadConfig(request())).config;
  const found = async () => findDataDir(await configSources(request()));
  const dataDir = warningOnce(found, terminal);
  const gateway = async () => await AdminClient.find(await dataDir());
  const gatewayToReload = async () => await AdminClient.find((await found()).dataDir);
  const context = {
    terminal,
    machine: product.machine,
    config,
    configSources: () => configSources(request()),
    configRequest: request,
    dataDir,
    gateway,
    gatewayToReload,
    endWith,
  };

  program
    .command('run')
    .description('run the gateway until SIGTERM or Ctrl-C')
    .action(async () => {
      const loaded = await loadConfig(request());
      endWith(await startedOrRefused(() => run(product.startGateway, loaded, terminal)));
    });
  program
    .command('certificate')
    .description('print the certificate of the MQTT ports with TLS, to be given to clients')
    .option('--admin', 'that of the page and the API instead')
    .action(async ({ admin }: { admin?: true }) =>
      endWith(await showCertificate(await config(), terminal, admin === true)),
    );
  for (const add of [
    addStatus,
    addTopics,
    addDevices,
    addAlerts,
    addSerial,
    addRoutes,
    addRecords,
    addStoredFiles,
    addBackup,
    addConfig,
    addDoctor,
    addAdmin,
    addAppliance,
    addCompletion,
  ])
    add(program, context);
  return program;
}

/** The data folder; the first time with what is wrong with the configuration, on standard error. */
function warningOnce(find: () => Promise<FoundDataDir>, { errors }: Terminal): () => Promise<string> {
  let isTold = false;
  return async () => {
    const { dataDir, problems } = await find();
    if (problems.length > 0 && !isTold) {
      isTold = true;
      for (const problem of problems) await errors.write(`warning: ${problem}\n`);
      await errors.write(
        'warning: with this configuration no gateway starts or reloads; one that runs goes on with the one before\n',
      );
    }
    return dataDir;
  };
}

/** Whatever keeps a gateway from starting is for its user to mend, so `run` ends as for a wrong configuration. */
async function startedOrRefused(running: () => Promise<ExitCode>): Promise<ExitCode> {
  try {
    return await running();
  } catch (error) {
    if (!(error instanceof OperatingError)) throw error;
    throw new OperatingError('bad-configuration', error.message, { cause: error });
  }
}
