import { messageOf } from '../../core/errors.ts';
import { ConnectRefused } from './client.ts';
import { ProtocolError } from './upstream.ts';

/** Why there is no connection to a broker, or no longer. */
export const causes = [
  /** Our own files or environment are not as they should be: nobody was asked. */
  'access',
  'unknown-host',
  'no-route',
  'refused',
  'timeout',
  'tls',
  /** The broker did not let us in. */
  'login',
  'client-id',
  'broker',
  /** It granted none of the topics. */
  'topics',
  'protocol',
  'closed',
  /** Our log could not take what has to be written before anything is received. */
  'log',
] as const;

export type Cause = (typeof causes)[number];

/** The cause, and in words for a person what happened and what to do. */
export interface Trouble {
  readonly cause: Cause;
  readonly message: string;
}

/** How a connection ended. */
export interface Ending {
  readonly clientId: string;
  /** What the socket or the protocol said. */
  readonly failure: Error | null;
  /** What the client library said. */
  readonly reason: Error | null;
  /** Whether the broker had let us in. */
  readonly wasConnected: boolean;
  /** Why TLS failed, in words; null if it is not TLS. */
  readonly tlsTrouble: (error: unknown) => string | null;
  readonly isTls: boolean;
}

const bySystemCode: Readonly<Record<string, Trouble>> = {
  ECONNREFUSED: { cause: 'refused', message: 'connection refused (is the broker running there?)' },
  ENOTFOUND: { cause: 'unknown-host', message: 'unknown host name (DNS)' },
  EAI_AGAIN: { cause: 'unknown-host', message: 'unknown host name (DNS)' },
  EHOSTUNREACH: { cause: 'no-route', message: 'no route (is the network up?)' },
  ENETUNREACH: { cause: 'no-route', message: 'no route (is the network up?)' },
  ETIMEDOUT: { cause: 'timeout', message: 'timed out (is the link up?)' },
};

/** By the return code of a CONNACK [MQTT-3.2.2.3]. */
const byReturnCode: Readonly<Record<number, Trouble>> = {
  1: { cause: 'broker', message: 'the broker does not speak MQTT 3.1.1; let it' },
  2: {
    cause: 'client-id',
    message:
      'the broker refuses the client id; set clientId to one that it takes, such as one of at most 23 letters and digits',
  },
  3: { cause: 'broker', message: 'the broker says that it is not available' },
  4: {
    cause: 'login',
    message:
      'the broker refuses the user name or password; correct username, and what passwordFile or passwordEnv names',
  },
  // Mosquitto answers a wrong password with this one.
  5: {
    cause: 'login',
    message:
      'the broker does not let this gateway in; correct username, and what passwordFile or passwordEnv names, or give the user the right at the broker',
  },
};

/** Says why a connection ended. */
export function troubleOf(ending: Ending): Trouble {
  const { failure, reason } = ending;
  if (reason instanceof ConnectRefused)
    return byReturnCode[reason.returnCode] ?? { cause: 'broker', message: reason.message };
  const tls = failure === null ? null : ending.tlsTrouble(failure);
  if (tls !== null) return { cause: 'tls', message: tls };
  if (failure instanceof ProtocolError) return notMqtt(failure, ending);
  const known = bySystemCode[codeOf(failure)];
  if (known !== undefined) return known;
  if (reason !== null && /timeout/i.test(reason.message))
    return { cause: 'timeout', message: 'the broker has not answered in time (is the link up?)' };
  if (failure !== null || reason === null || /closed/i.test(reason.message)) return closed(ending);
  return { cause: 'protocol', message: messageOf(reason) };
}

const codeOf = (error: Error | null): string =>
  error !== null && 'code' in error && typeof error.code === 'string' ? error.code : '';

function notMqtt({ message }: ProtocolError, { isTls, wasConnected }: Ending): Trouble {
  const advice = isTls ? 'check the port' : 'check the port; if it is one for TLS, write mqtts:// in url';
  const whose = wasConnected
    ? `the broker breaks the protocol: ${message}`
    : `no MQTT broker answers there: ${message}`;
  return { cause: 'protocol', message: wasConnected ? whose : `${whose}; ${advice}` };
}

function closed({ clientId, wasConnected, isTls }: Ending): Trouble {
  const message = wasConnected
    ? `the broker closed the connection; if it does so again and again, another client may use the client id ${clientId}: set clientId to one of its own`
    : `the connection was closed before the broker answered; check the port${isTls ? '' : ', and whether it wants TLS (mqtts://)'}, and whether the broker takes connections`;
  return { cause: 'closed', message };
}
