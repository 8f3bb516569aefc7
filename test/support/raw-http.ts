import { connect } from 'node:net';

/** What came back on a connection of its own, until the other side closed it. */
export interface RawAnswer {
  /** Null if there was no answer. */
  readonly status: number | null;
  readonly headers: string;
  readonly text: string;
}

/** Sends bytes as they are to a port of 127.0.0.1, and waits until the other side closes; how they leave is up to `send`. */
export function rawExchange(
  port: number,
  send: string | ((write: (piece: string) => void) => void),
  localAddress = '127.0.0.1',
): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: true });
    const chunks: Buffer[] = [];
    const ended = () => {
      const all = Buffer.concat(chunks).toString('latin1');
      const status = /^HTTP\/1\.1 (\d{3}) /.exec(all)?.[1];
      const [headers = '', ...rest] = all.split('\r\n\r\n');
      resolve({ status: status === undefined ? null : Number(status), headers, text: rest.join('\r\n\r\n') });
    };
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('end', () => socket.destroy());
    socket.once('close', ended);
    socket.once('connect', () => {
      if (typeof send === 'function') send((piece) => socket.write(piece));
      else socket.write(send);
    });
  });
}
