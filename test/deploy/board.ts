import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePorts } from '../kafka/ports.ts';
import { ended, hasEnded, runToEnd, start } from '../kafka/processes.ts';
import { until } from '../kafka/until.ts';

const MIB = 1024 * 1024;
/** An emulated board on a machine that does other things as well is some twenty times slower than a real one. */
export const BOOT_MS_MAX = 480_000;
/** What the router of the network that it is in says to be the domain there. */
export const NETWORK_DOMAIN = 'plant.example';
const KNOCK_MS_MAX = 2_000;
const COMMAND_SECONDS_MAX = 120;
const KERNEL_LOG_LENGTH = 3_000;

/** A card: an image of it, and what the firmware of a board would take from its boot partition. */
export class Card {
  readonly file: string;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.file = join(folder, 'card.img');
  }

  /** Writes an image to a card of this size. Only what the image has is stored. */
  static async flash(image: string, folder: string, cardMib: number): Promise<Card> {
    const card = new Card(folder);
    await mkdir(folder, { recursive: true });
    await mustRun('cp', ['--sparse=always', image, card.file]);
    await mustRun('truncate', ['--size', String(cardMib * MIB), card.file]);
    return card;
  }

  /** The same content on another card. */
  async copyTo(folder: string): Promise<Card> {
    const card = new Card(folder);
    await mkdir(folder, { recursive: true });
    await mustRun('cp', ['--sparse=always', this.file, card.file]);
    return card;
  }

  /** Where the boot partition is, as mtools want it. */
  get #boot(): string {
    return `${this.file}@@4M`;
  }

  /** Puts a file on the boot partition, as another computer does. */
  async put(name: string, text: string): Promise<void> {
    const file = join(this.#folder, 'put');
    await writeFile(file, text);
    await mustRun('mcopy', ['-o', '-i', this.#boot, file, `::${name}`]);
  }

  /** Reads a file of the boot partition; undefined if there is none. */
  async read(name: string): Promise<string | undefined> {
    const { code, stdout } = await runToEnd('mtype', ['-i', this.#boot, `::${name}`]);
    return code === 0 ? stdout : undefined;
  }

  /** Takes a file out of the boot partition. */
  async remove(name: string): Promise<void> {
    await mustRun('mdel', ['-i', this.#boot, `::${name}`]);
  }

  /** Kernel and initrd of the boot partition, in files of their own. */
  async forFirmware(): Promise<{
    readonly kernel: string;
    readonly initrd: string;
    readonly commandLine: string;
  }> {
    const kernel = await this.takeOut('vmlinuz');
    const initrd = await this.takeOut('initrd.img');
    return { kernel, initrd, commandLine: ((await this.read('cmdline.txt')) ?? '').trim() };
  }

  /** Copies a file of the boot partition beside the card. Resolves with its path. */
  async takeOut(name: string): Promise<string> {
    const file = join(this.#folder, name);
    await mustRun('mcopy', ['-n', '-o', '-i', this.#boot, `::${name}`, file]);
    return file;
  }

  /** Where partition 1, 2 or 3 is, in bytes. */
  async partition(number: 1 | 2 | 3): Promise<{ readonly start: number; readonly size: number }> {
    const table = JSON.parse(await mustRun('sfdisk', ['-J', this.file])) as {
      partitiontable: { partitions: { start: number; size: number }[] };
    };
    const found = table.partitiontable.partitions[number - 1];
    if (found === undefined) throw new Error(`the card has no partition ${number}`);
    return { start: found.start * 512, size: found.size * 512 };
  }

  /** SHA-256 of a partition. */
  async sum(number: 1 | 2 | 3): Promise<string> {
    const { start: from, size } = await this.partition(number);
    return await mustRun('sh', [
      '-c',
      `dd if="$1" bs=1M iflag=skip_bytes,count_bytes skip=${from} count=${size} status=none | sha256sum`,
      'sh',
      this.file,
    ]);
  }
}

export interface BoardOptions {
  /** What its clock says at the start, as QEMU writes it; by default the right time. */
  readonly clock?: string;
  /** More words for the kernel's command line. */
  readonly commandLine?: string;
  /** A file into which every write and flush of the card is noted, besides. */
  readonly writeLog?: string;
  /** Whether it can reach this machine, as 10.0.2.2; by default only it can be reached. */
  readonly reachesHost?: boolean;
  /** A private key that opens it. */
  readonly sshKey?: string;
  /** Where the console of this start is kept. */
  readonly console: string;
}

/** A board that runs: QEMU's machine "virt", with the kernel and the initrd of the card. */
export class Board implements AsyncDisposable {
  readonly mqttPort: number;
  readonly mqttsPort: number;
  readonly adminPort: number;
  readonly sshPort: number;
  readonly #process: ChildProcess;
  readonly #options: BoardOptions;
  readonly #startMs = performance.now();

  private constructor(process: ChildProcess, ports: readonly number[], options: BoardOptions) {
    const [mqtt = 0, mqtts = 0, admin = 0, ssh = 0] = ports;
    this.mqttPort = mqtt;
    this.mqttsPort = mqtts;
    this.adminPort = admin;
    this.sshPort = ssh;
    this.#process = process;
    this.#options = options;
  }

  /** Turns the power on. */
  static async start(card: Card, options: BoardOptions): Promise<Board> {
    const { kernel, initrd, commandLine } = await card.forFirmware();
    const ports = await freePorts(4);
    const [mqtt = 0, mqtts = 0, admin = 0, ssh = 0] = ports;
    const forwards = [`${mqtt}-:1883`, `${mqtts}-:8883`, `${admin}-:8443`, `${ssh}-:22`];
    const restrict = options.reachesHost === true ? 'off' : 'on';
    const network = `user,id=n0,domainname=${NETWORK_DOMAIN},restrict=${restrict}`;
    const words = [commandLine, 'console=ttyAMA0', options.commandLine ?? ''].join(' ').trim();
    await writeFile(options.console, '');
    const parameters = [
      ...[
        '-M',
        'virt',
        '-cpu',
        'cortex-a72',
        '-smp',
        '2',
        '-m',
        '1024',
        '-accel',
        'tcg,thread=multi,tb-size=512',
      ],
      ...['-nodefaults', '-display', 'none', '-serial', `file:${options.console}`, '-no-reboot'],
      ...['-kernel', kernel, '-initrd', initrd, '-append', words],
      ...diskParameters(card.file, options.writeLog),
      ...['-netdev', `${network},${forwards.map((forward) => `hostfwd=tcp:127.0.0.1:${forward}`).join(',')}`],
      ...['-device', 'virtio-net-device,netdev=n0', '-device', 'virtio-rng-device'],
      ...['-rtc', `base=${options.clock ?? 'utc'}`],
    ];
    if (options.writeLog !== undefined) await writeFile(options.writeLog, '');
    return new Board(
      start('qemu-system-aarch64', parameters, ['ignore', 'inherit', 'inherit']),
      ports,
      options,
    );
  }

  /** Since the power was turned on. */
  get upSeconds(): number {
    return (performance.now() - this.#startMs) / 1000;
  }

  get isOn(): boolean {
    return !hasEnded(this.#process);
  }

  /** What it has written to its console. */
  console(): Promise<string> {
    return readFile(this.#options.console, 'utf8');
  }

  /** Resolves when its console says so. */
  async says(text: string | RegExp, msMax = BOOT_MS_MAX): Promise<void> {
    await this.#until(`the console says ${text}`, msMax, async () => {
      const console = await this.console();
      return (typeof text === 'string' ? console.includes(text) : text.test(console)) || undefined;
    });
  }

  /** Resolves when a client has got an answer. sshd shuts those out for a while who only look whether it is there: so one logs in. */
  async answers(service: 'mqtt' | 'ssh', msMax = BOOT_MS_MAX): Promise<void> {
    const isThere = async (): Promise<boolean> =>
      service === 'mqtt' ? await isMqtt(this.mqttPort) : (await this.trySsh('true')).code === 0;
    await this.#until(`${service} answers`, msMax, async () => (await isThere()) || undefined);
  }

  /** Runs a command on it by ssh. @throws Error with what it said, if it fails */
  async ssh(command: string): Promise<string> {
    const { code, stdout, stderr } = await this.trySsh(command);
    if (code !== 0) throw new Error(`"${command}" ended with ${code}:\n${stdout}\n${stderr}`);
    return stdout;
  }

  /** Runs a command on it by ssh, whatever becomes of it. */
  async trySsh(command: string) {
    const options = [
      'StrictHostKeyChecking=no',
      'UserKnownHostsFile=/dev/null',
      'LogLevel=ERROR',
      'BatchMode=yes',
    ];
    return await runToEnd('timeout', [
      String(COMMAND_SECONDS_MAX),
      'ssh',
      ...options.flatMap((option) => ['-o', option]),
      ...['-i', this.#options.sshKey ?? '', '-p', String(this.sshPort), 'root@127.0.0.1', command],
    ]);
  }

  /** Resolves when it has turned itself off, or wanted to start anew. */
  async isOff(msMax: number): Promise<void> {
    await until('the board is off', msMax, () => Promise.resolve(this.isOn ? undefined : true));
  }

  /** Cuts the power. */
  async cutPower(): Promise<void> {
    if (this.isOn) this.#process.kill('SIGKILL');
    await ended(this.#process);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cutPower();
  }

  async #until(what: string, msMax: number, attempt: () => Promise<true | undefined>): Promise<void> {
    try {
      await until(what, msMax, async () => {
        if (!this.isOn) throw new Error(`the board went off before ${what}`);
        return await attempt();
      });
    } catch (error) {
      const console = await this.console();
      throw new Error(`${String(error)}\n${console.slice(-KERNEL_LOG_LENGTH)}`, { cause: error });
    }
  }
}

/** A card that takes writes at once; or one whose writes and flushes are noted as well. */
function diskParameters(card: string, writeLog: string | undefined): readonly string[] {
  const device = ['-device', 'virtio-blk-device,drive=card'];
  const file = (path: string): string => `driver=file,filename=${path},cache.direct=off`;
  if (writeLog === undefined)
    return [
      '-blockdev',
      `${file(card)},node-name=file`,
      '-blockdev',
      'driver=raw,file=file,node-name=card',
      ...device,
    ];
  return [
    ...['-blockdev', `${file(card)},node-name=file`, '-blockdev', `${file(writeLog)},node-name=log`],
    ...['-blockdev', 'driver=blklogwrites,file=file,log=log,node-name=card,log-sector-size=512'],
    ...device,
  ];
}

/** CONNECT of MQTT 3.1.1 without a name: whatever the answer is, it comes from a gateway that is ready. */
const mqttConnect = Buffer.from('100c00044d5154540402003c0000', 'hex');

/** Whether somebody there answers to it. */
async function isMqtt(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  socket.setTimeout(KNOCK_MS_MAX, () => socket.destroy());
  socket.on('error', () => undefined);
  try {
    await once(socket, 'connect');
    socket.write(mqttConnect);
    const [first] = (await Promise.race([once(socket, 'data'), once(socket, 'close')])) as [Buffer | boolean];
    return Buffer.isBuffer(first);
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Runs a program of this machine. @throws Error with what it said, if it fails */
export async function mustRun(command: string, parameters: readonly string[], input = ''): Promise<string> {
  const { code, stdout, stderr } = await runToEnd(command, parameters, input);
  if (code !== 0) throw new Error(`${command} ended with ${code}:\n${stdout}\n${stderr}`);
  return stdout;
}
