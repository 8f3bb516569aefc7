import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Connection, metadataV12 } from '@platformatic/kafka';
import { Broker, type Properties } from './broker.ts';
import { serverJars } from './jars.ts';
import { javaParameters } from './java.ts';
import { freePorts } from './ports.ts';
import { makeTemporaryFolder, removeTemporaryFolder } from './processes.ts';
import { until } from './until.ts';

const HEAP_MIB = 256;
const METADATA_TIMEOUT_MS = 30_000;

export interface ClusterOptions {
  /** Three are for tests in which one fails: topics then have three replicas, of which two must have a record. */
  readonly brokers: 1 | 3;
  /** Of a lone broker: further listeners by name, each with its protocol; `properties` says the rest about them. */
  readonly listeners?: Readonly<Record<string, 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'>>;
  /** Users of SCRAM, as Kafka writes them: `SCRAM-SHA-256=[name=gw1,password=secret]`. */
  readonly users?: readonly string[];
  /** Settings of every broker, over those of the harness. */
  readonly properties?: Properties;
  /** The level of transaction.version that the cluster agrees on; Kafka's own default otherwise. */
  readonly transactionVersion?: 0 | 1 | 2;
  /** Where the first broker listens; a free port if it does not matter. */
  readonly port?: number;
  /**
   * Asked for each broker, with the address of a second listener of its own: gives the address that this listener
   * advertises, such as that of a proxy before it. `bootstrap` and the brokers among themselves do not use it.
   */
  readonly link?: (address: string) => Promise<string>;
}

/** A real Apache Kafka on the loopback address. Its nodes are numbered from 1. */
export interface Cluster {
  /** Addresses of all brokers, `host:port`, in the order of their node ids. */
  readonly bootstrap: string[];
  /** Addresses of the further listeners, by name. */
  readonly listeners: Readonly<Record<string, string>>;
  /** Where all data is, until `close`; the log of node 1 is `node-1/kafka.log` in it. */
  readonly folder: string;
  /** Ends a broker as a power cut does (SIGKILL); resolves when it is gone. */
  kill(nodeId: number): Promise<void>;
  /** Stops a broker cleanly (SIGTERM); resolves when it is gone. */
  stopBroker(nodeId: number): Promise<void>;
  /** Starts a broker again, on its port and its data; resolves when it serves and all brokers know it. */
  restart(nodeId: number): Promise<void>;
  /** Ends all brokers and deletes their data. May be called twice. */
  close(): Promise<void>;
}

/**
 * Starts Apache Kafka in processes of its own and resolves when it is ready for clients. Topics are not created
 * by themselves.
 * @throws Error with the end of the broker's log, if it does not start
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const jars = await serverJars();
  const archive = join(jars, 'classes.jsa');
  if (!existsSync(archive)) await archiveClasses(jars, archive);
  return await startBrokers(options, [`-XX:SharedArchiveFile=${archive}`, ...brokerParameters(jars)]);
}

const brokerParameters = (jars: string): readonly string[] => javaParameters(jars, HEAP_MIB, 'info');

/** Has a broker write down the classes it loaded, ready for use: the next ones start in a third of the time. */
async function archiveClasses(jars: string, archive: string): Promise<void> {
  const unfinished = `${archive}.${randomUUID()}.unfinished`;
  const writing = `-XX:ArchiveClassesAtExit=${unfinished}`;
  const cluster = await startBrokers({ brokers: 1 }, [writing, ...brokerParameters(jars)]);
  try {
    await cluster.stopBroker(1);
    await rename(unfinished, archive);
  } finally {
    await cluster.close();
    await rm(unfinished, { force: true });
  }
}

async function startBrokers(options: ClusterOptions, java: readonly string[]): Promise<Cluster> {
  const folder = await makeTemporaryFolder();
  const listeners = await placeListeners(options.listeners);
  const brokers = await plan(options, listeners, folder, java);
  const cluster = clusterOf(brokers, listeners, folder);
  try {
    const clusterId = newClusterId();
    const features =
      options.transactionVersion === undefined ? [] : [`transaction.version=${options.transactionVersion}`];
    await Promise.all(brokers.map((broker) => broker.format(clusterId, features, options.users ?? [])));
    await Promise.all(brokers.map((broker) => broker.start()));
    await knowEachOther(brokers);
  } catch (error) {
    await cluster.close();
    throw error;
  }
  return cluster;
}

/** Gives each of the further listeners an address. */
async function placeListeners(
  wanted: ClusterOptions['listeners'] = {},
): Promise<Readonly<Record<string, string>>> {
  const names = Object.keys(wanted);
  const ports = await freePorts(names.length);
  return Object.fromEntries(names.map((name, index) => [name, `127.0.0.1:${ports[index]}`]));
}

async function plan(
  options: ClusterOptions,
  listeners: Cluster['listeners'],
  folder: string,
  java: readonly string[],
): Promise<Broker[]> {
  const ports = await freePorts(options.brokers * 3);
  const clientPorts = ports.slice(0, options.brokers);
  const controllerPorts = ports.slice(options.brokers, options.brokers * 2);
  const linkListeners = await planLink(options.link, ports.slice(options.brokers * 2));
  if (options.port !== undefined) clientPorts[0] = options.port;
  const voters = controllerPorts.map((port, index) => `${index + 1}@127.0.0.1:${port}`).join(',');
  return clientPorts.map((port, index) => {
    const nodeId = index + 1;
    return new Broker({
      nodeId,
      port,
      folder: join(folder, `node-${nodeId}`),
      java,
      properties: {
        'process.roles': 'broker,controller',
        'node.id': nodeId,
        'controller.quorum.voters': voters,
        listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPorts[index]}`,
        'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
        'controller.listener.names': 'CONTROLLER',
        'auto.create.topics.enable': false,
        ...replication(options.brokers),
        ...quickness,
        ...linkListeners(index, port, controllerPorts[index] ?? 0),
        ...furtherListeners(options.listeners, listeners, port, controllerPorts[index] ?? 0),
        ...options.properties,
      },
    });
  });
}

/** A listener more for each broker, for clients that come over a link. */
async function planLink(
  link: ClusterOptions['link'],
  ports: readonly number[],
): Promise<(index: number, clientPort: number, controllerPort: number) => Properties> {
  if (link === undefined) return () => ({});
  const advertised = await Promise.all(ports.map((port) => link(`127.0.0.1:${port}`)));
  return (index, clientPort, controllerPort) => {
    const client = `PLAINTEXT://127.0.0.1:${clientPort}`;
    const addresses = `LINK://127.0.0.1:${ports[index]},CONTROLLER://127.0.0.1:${controllerPort}`;
    return {
      listeners: `${client},${addresses}`,
      'advertised.listeners': `${client},LINK://${advertised[index]}`,
      'inter.broker.listener.name': 'PLAINTEXT',
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,LINK:PLAINTEXT,CONTROLLER:PLAINTEXT',
    };
  };
}

function furtherListeners(
  protocols: ClusterOptions['listeners'],
  addresses: Cluster['listeners'],
  clientPort: number,
  controllerPort: number,
): Properties {
  if (protocols === undefined) return {};
  const further = Object.entries(addresses).map(([name, address]) => `${name}://${address}`);
  const clients = [`PLAINTEXT://127.0.0.1:${clientPort}`, ...further].join(',');
  const map = Object.entries(protocols).map(([name, protocol]) => `${name}:${protocol}`);
  return {
    listeners: `${clients},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': clients,
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': ['PLAINTEXT:PLAINTEXT', 'CONTROLLER:PLAINTEXT', ...map].join(','),
  };
}

/** Internal topics as small as can be. */
const replication = (brokers: 1 | 3): Properties => ({
  'default.replication.factor': brokers,
  'min.insync.replicas': brokers === 3 ? 2 : 1,
  'offsets.topic.replication.factor': brokers,
  'offsets.topic.num.partitions': brokers,
  'transaction.state.log.replication.factor': brokers,
  'transaction.state.log.min.isr': brokers === 3 ? 2 : 1,
  'transaction.state.log.num.partitions': brokers,
  'share.coordinator.state.topic.replication.factor': brokers,
  'share.coordinator.state.topic.min.isr': brokers === 3 ? 2 : 1,
});

/** A broker's death is noticed, and made good, in a second or two instead of ten. */
const quickness: Properties = {
  // Soon back after a kill, but not fenced while a busy machine starves it: that can lose the end of a transaction.
  'broker.session.timeout.ms': 4000,
  'broker.heartbeat.interval.ms': 200,
  'group.initial.rebalance.delay.ms': 0,
  'controller.quorum.election.timeout.ms': 500,
  'controller.quorum.fetch.timeout.ms': 800,
  'controller.quorum.election.backoff.max.ms': 300,
  'replica.lag.time.max.ms': 3000,
  'replica.fetch.wait.max.ms': 100,
};

function clusterOf(brokers: readonly Broker[], listeners: Cluster['listeners'], folder: string): Cluster {
  const find = (nodeId: number): Broker => {
    const broker = brokers[nodeId - 1];
    if (broker === undefined) throw new Error(`there is no broker ${nodeId}, only 1 to ${brokers.length}`);
    return broker;
  };
  return {
    bootstrap: brokers.map(({ port }) => `127.0.0.1:${port}`),
    listeners,
    folder,
    kill: async (nodeId) => await find(nodeId).kill(),
    stopBroker: async (nodeId) => await find(nodeId).stop(),
    restart: async (nodeId) => {
      await find(nodeId).start();
      await knowEachOther(brokers.filter((broker) => broker.isRunning));
    },
    close: async () => {
      await Promise.all(brokers.filter((broker) => broker.isRunning).map((broker) => broker.kill()));
      await removeTemporaryFolder(folder);
    },
  };
}

/** Resolves when each of the brokers would tell a client of all of them. */
async function knowEachOther(brokers: readonly Broker[]): Promise<void> {
  // A lone broker opens its port only after it is in the metadata.
  if (brokers.length === 1) return;
  for (const broker of brokers) {
    await until(`broker ${broker.nodeId} knows all others`, METADATA_TIMEOUT_MS, async () => {
      // One that starts at the same time may not listen yet.
      const known = await brokersKnownTo(broker.port).catch(() => new Set());
      return brokers.every(({ nodeId }) => known.has(nodeId)) || undefined;
    });
  }
}

async function brokersKnownTo(port: number): Promise<Set<number>> {
  const connection = new Connection('harness');
  // Without a listener an error of the socket would end the whole process; the call rejects as well.
  connection.on('error', () => undefined);
  try {
    await connection.connect('127.0.0.1', port);
    const metadata = await metadataV12.api.async(connection, [], false, false);
    return new Set(metadata.brokers.map(({ nodeId }) => nodeId));
  } finally {
    await connection.close();
  }
}

/** 16 bytes as Kafka writes a UUID. The first bit is clear, because the tool would take a leading `-` for an option. */
function newClusterId(): string {
  const bytes = randomBytes(16);
  bytes.writeUInt8(bytes.readUInt8(0) & 0x7f, 0);
  return bytes.toString('base64url');
}
