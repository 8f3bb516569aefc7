import { execFile } from 'node:child_process';
import { fstatSync, write } from 'node:fs';
import process from 'node:process';
import { promisify } from 'node:util';
import { messageOf } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { Logger } from '../core/logger.ts';
import { noServiceManager, type ServiceManager, type ServiceNews } from '../core/service-manager.ts';

/** Sends lines in the format of sd_notify(3). */
type Send = (lines: readonly string[]) => Promise<void>;

const firstHandedOver = 3;
/** As the unit's `OpenFile=` calls it. */
const socketName = 'notify';

/**
 * The systemd that has started this process, by what it has put into the environment; without one, nobody. It is told by the
 * socket that the unit's `OpenFile=/run/systemd/notify:notify:graceful` hands over (systemd 253 and later), else by the program
 * `systemd-notify`, which the unit has to allow by `NotifyAccess=all`. What fails is in the service log, once.
 */
export function systemdService(
  logger: Logger,
  env: NodeJS.ProcessEnv = process.env,
  pid: number = process.pid,
): ServiceManager {
  const socket = handedOver(env, pid);
  if (socket === undefined && !env['NOTIFY_SOCKET']) return noServiceManager;
  const send = socket === undefined ? byProgram(env, pid) : bySocket(socket);
  const teller = new Teller(send, logger);
  return { watchdogMs: watchdogMs(env, pid), tell: (news) => teller.tell(news) };
}

/** The number of the open file, if there is one that is a socket. */
function handedOver(env: NodeJS.ProcessEnv, pid: number): number | undefined {
  if (env['LISTEN_PID'] !== String(pid)) return undefined;
  const index = (env['LISTEN_FDNAMES'] ?? '').split(':').indexOf(socketName);
  if (index < 0 || index >= Number(env['LISTEN_FDS'])) return undefined;
  try {
    return fstatSync(firstHandedOver + index).isSocket() ? firstHandedOver + index : undefined;
  } catch {
    return undefined;
  }
}

function watchdogMs(env: NodeJS.ProcessEnv, pid: number): number | null {
  const forPid = env['WATCHDOG_PID'];
  const microseconds = Number(env['WATCHDOG_USEC']);
  if (forPid !== undefined && forPid !== String(pid)) return null;
  return Number.isSafeInteger(microseconds) && microseconds > 0 ? microseconds / 1000 : null;
}

/** A full socket holds up a thread of the pool, and not the event loop. */
function bySocket(socket: number): Send {
  const writeAll = promisify(write);
  return async (lines) => {
    await writeAll(socket, Buffer.from(lines.join('\n')));
  };
}

function byProgram(env: NodeJS.ProcessEnv, pid: number): Send {
  const run = promisify(execFile);
  return async (lines) => {
    await run('systemd-notify', [`--pid=${pid}`, ...lines], { env, timeout: limits.systemdNotifyMs });
  };
}

/** Tells one thing after the other; what comes up meanwhile is told next, together. */
class Teller {
  readonly #send: Send;
  readonly #logger: Logger;
  #waiting: ServiceNews | undefined;
  #isTelling = false;
  #isFailing = false;

  constructor(send: Send, logger: Logger) {
    this.#send = send;
    this.#logger = logger;
  }

  tell(news: ServiceNews): void {
    this.#waiting = { ...this.#waiting, ...news };
    if (!this.#isTelling) void this.#tellWaiting();
  }

  async #tellWaiting(): Promise<void> {
    this.#isTelling = true;
    // What comes up in one turn is told together.
    await Promise.resolve();
    for (let news = this.#take(); news !== undefined; news = this.#take()) {
      try {
        await this.#send(linesOf(news));
        this.#isFailing = false;
      } catch (error) {
        const { alive: _, ...lasting } = news;
        this.#waiting = { ...lasting, ...this.#waiting };
        this.#tellFailure(error);
        break;
      }
    }
    this.#isTelling = false;
  }

  #take(): ServiceNews | undefined {
    const news = this.#waiting;
    this.#waiting = undefined;
    return news;
  }

  #tellFailure(error: unknown): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#logger.error(
      { cause: messageOf(error) },
      'systemd cannot be told how the gateway is, and may end and restart it for that; the unit needs systemd 253 or later with ' +
        'OpenFile=/run/systemd/notify:notify:graceful, or the program systemd-notify and NotifyAccess=all',
    );
  }
}

function linesOf({ ready, stopping, alive, status, extendMs }: ServiceNews): readonly string[] {
  return [
    ...(ready ? ['READY=1'] : []),
    ...(stopping ? ['STOPPING=1'] : []),
    ...(alive ? ['WATCHDOG=1'] : []),
    ...(status === undefined ? [] : [`STATUS=${oneLine(status)}`]),
    ...(extendMs === undefined ? [] : [`EXTEND_TIMEOUT_USEC=${Math.round(extendMs * 1000)}`]),
  ];
}

const oneLine = (text: string): string =>
  text.replaceAll(/[\p{Cc}\s]+/gu, ' ').slice(0, limits.serviceStatusLengthMax);
