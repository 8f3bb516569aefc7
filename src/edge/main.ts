#!/usr/bin/env node
import { hostname } from 'node:os';
import process from 'node:process';
import { runCommandLine } from './cli/program.ts';
import type { StartGateway } from './cli/run.ts';
import { Output, type Terminal } from './cli/terminal.ts';
import { configVariableName } from './config/config-file.ts';
import { thisMachine } from './machine.ts';
import { version } from './version.ts';

const terminal: Terminal = {
  input: process.stdin,
  output: new Output(process.stdout),
  errors: new Output(process.stderr),
  isInteractive: process.stdin.isTTY === true && process.stderr.isTTY === true,
  workingDirectory: process.cwd(),
  hostName: hostname(),
  configVariable: process.env[configVariableName],
  onStopSignal(listener) {
    process.on('SIGTERM', listener).on('SIGINT', listener);
    return () => void process.off('SIGTERM', listener).off('SIGINT', listener);
  },
  onReloadSignal(listener) {
    process.on('SIGHUP', listener);
    return () => void process.off('SIGHUP', listener);
  },
  exitNow: (code) => process.exit(code),
};

// Loaded only by `run`: the other commands start faster without everything that a gateway is made of.
const startGateway: StartGateway = async ({ config, again }, log, signal) =>
  await (await import('./gateway.ts')).Gateway.start(config, async () => (await again()).config, log, signal);

process.exitCode = await runCommandLine(
  process.argv.slice(2),
  { version, startGateway, machine: thisMachine },
  terminal,
);
