import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { limits } from '../../core/limits.ts';
import { quoted } from './refusals.ts';

export interface WebSocketServerOptions {
  /** The handshake is done, and the socket speaks WebSocket; `origin` is the page that a browser says it comes from. */
  readonly onUpgraded: (socket: Duplex, origin: string | null) => void;
  /** What came is no handshake for MQTT; the client has been told, and the socket is being closed. */
  readonly onFailed: (socket: Duplex, message: string) => void;
}

/** Where clients ask for MQTT: libraries take the one or the other without being told. */
const paths = new Set(['/', '/mqtt']);

/** Of MQTT 3.1.1 [MQTT-6.0.0-3], and as clients of MQTT 3.1 say it. */
const subprotocols = new Set(['mqtt', 'mqttv3.1']);

/** RFC 6455, 1.3. */
const KEY_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** WebSocket handshakes (RFC 6455, 4.2) on connections that somebody else accepts: each is given to it by its event `connection`. */
export function webSocketServer({ onUpgraded, onFailed }: WebSocketServerOptions): Server {
  const server = createServer({ maxHeaderSize: limits.mqttUpgradeBytesMax });
  const refuse = (socket: Duplex, refusal: UpgradeRefusal): void => {
    socket.end(answerOf(refusal));
    onFailed(socket, refusal.message);
  };
  server.on('request', ({ socket }) => refuse(socket, notAnUpgrade));
  server.on('clientError', (_error, socket) => refuse(socket, noHttp));
  server.on('upgrade', (request, socket, head) => {
    const upgrade = upgradeOf(request);
    if ('message' in upgrade) {
      refuse(socket, upgrade);
      return;
    }
    socket.write(upgrade.answer);
    if (head.length > 0) socket.unshift(head);
    onUpgraded(socket, request.headers.origin ?? null);
  });
  return server;
}

interface UpgradeRefusal {
  readonly status: string;
  readonly message: string;
}

const notAnUpgrade: UpgradeRefusal = {
  status: '426 Upgrade Required',
  message: 'this is MQTT over WebSocket, no web page; open it with an MQTT client, as ws:// or wss://',
};

const noHttp: UpgradeRefusal = {
  status: '400 Bad Request',
  message: 'it does not begin as WebSocket does; set the client to ws:// or wss://, or use another port',
};

function upgradeOf(request: IncomingMessage): { readonly answer: string } | UpgradeRefusal {
  const { method, url = '', headers } = request;
  const key = headers['sec-websocket-key'] ?? '';
  if (method !== 'GET' || headers.upgrade?.toLowerCase() !== 'websocket') return notAnUpgrade;
  if (headers['sec-websocket-version'] !== '13' || !/^[A-Za-z0-9+/]{22}==$/.test(key)) return noHttp;
  const [path = ''] = url.split('?');
  if (!paths.has(path))
    return { status: '404 Not Found', message: `there is no MQTT at ${quoted(path)}; use the path /mqtt` };
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  const subprotocol = offered.find((name) => subprotocols.has(name));
  if (subprotocol === undefined)
    return {
      status: '400 Bad Request',
      message: 'it does not ask for the WebSocket subprotocol mqtt; set it in the client',
    };
  const accept = createHash('sha1').update(`${key}${KEY_SUFFIX}`).digest('base64');
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accept}`,
    `Sec-WebSocket-Protocol: ${subprotocol}`,
  ];
  return { answer: `${lines.join('\r\n')}\r\n\r\n` };
}

function answerOf({ status, message }: UpgradeRefusal): string {
  const text = `${message}\n`;
  const lines = [
    `HTTP/1.1 ${status}`,
    'Connection: close',
    'Sec-WebSocket-Version: 13',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(text)}`,
  ];
  return `${lines.join('\r\n')}\r\n\r\n${text}`;
}
