import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/**
 * Below the range from which the operating system takes the ports of outgoing connections: a broker must find its
 * port free when it comes back, and a client that knocks meanwhile must not be given that very port and so connect
 * to itself.
 */
const PORT_MIN = 20_000;
const PORT_MAX = 32_000;

/** So many different free ports of the loopback address. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = randomInt(PORT_MIN, PORT_MAX);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

/** Whether a server could listen on this port of the loopback address. */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

/** Whether somebody answers on this port of the loopback address. */
export async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
