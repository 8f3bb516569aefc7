import { hostName, saslUser } from './name-kinds.ts';
import { type CheckContext, choice, file, secretFile, secretVariable, section } from './setting-kinds.ts';

/** `forwarder.tls`. That it is there turns TLS on; all settings in it have defaults. */
export const tlsSection = () =>
  section(
    {
      /** The CAs that sign the brokers' certificates; without it those that the system knows. */
      caFile: file().optional(),
      /** The gateway's own certificate and key, for brokers that ask for one. */
      certFile: file().optional(),
      keyFile: file().optional(),
      /** The name to ask for and to find in the brokers' certificates, if it is not the host that is dialled. */
      serverName: hostName().optional(),
    },
    'or {} to trust the CAs of the system',
  ).superRefine(checkKeyPair);

/** `forwarder.sasl`. */
export const saslSection = () =>
  section({
    mechanism: choice(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER']),
    username: saslUser().optional(),
    /** The secret is never in the configuration itself, which people copy and show. */
    passwordFile: secretFile().optional(),
    passwordEnv: secretVariable().optional(),
    tokenFile: secretFile().optional(),
    tokenEnv: secretVariable().optional(),
  }).superRefine(checkSasl);

/** Files are read anew for each connection. */
export interface TlsConfig {
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly serverName?: string | undefined;
}

export type SaslConfig =
  | {
      readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
      readonly username: string;
      readonly password: SecretSource;
    }
  | { readonly mechanism: 'OAUTHBEARER'; readonly token: SecretSource };

/** Where a secret is. */
export interface SecretSource {
  /** The setting that says so. */
  readonly setting: string;
  readonly kind: 'file' | 'variable';
  /** The path of the file, or the name of the variable. */
  readonly name: string;
}

interface SaslSettings {
  readonly mechanism: SaslConfig['mechanism'];
  readonly username?: string | undefined;
  readonly passwordFile?: string | undefined;
  readonly passwordEnv?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly tokenEnv?: string | undefined;
}

/** Settings that have passed the checks of {@link saslSection}, as the forwarder needs them. */
export function saslConfig(settings: SaslSettings): SaslConfig {
  const { mechanism, username = '' } = settings;
  if (mechanism === 'OAUTHBEARER')
    return { mechanism, token: secretSource('token', settings.tokenFile, settings.tokenEnv) };
  return {
    mechanism,
    username,
    password: secretSource('password', settings.passwordFile, settings.passwordEnv),
  };
}

/** The same with paths that no longer depend on the working directory. */
export function resolvedTls(tls: TlsConfig, resolve: (path: string) => string): TlsConfig {
  const resolved = (path: string | undefined) => (path === undefined ? undefined : resolve(path));
  const { caFile, certFile, keyFile } = tls;
  return { ...tls, caFile: resolved(caFile), certFile: resolved(certFile), keyFile: resolved(keyFile) };
}

/** The same with a path that no longer depends on the working directory. */
export function resolvedSasl(sasl: SaslConfig, resolve: (path: string) => string): SaslConfig {
  const resolved = (source: SecretSource): SecretSource =>
    source.kind === 'file' ? { ...source, name: resolve(source.name) } : source;
  if (sasl.mechanism === 'OAUTHBEARER') return { ...sasl, token: resolved(sasl.token) };
  return { ...sasl, password: resolved(sasl.password) };
}

function secretSource(secret: string, path: string | undefined, variable: string | undefined): SecretSource {
  if (path !== undefined) return { setting: `forwarder.sasl.${secret}File`, kind: 'file', name: path };
  return { setting: `forwarder.sasl.${secret}Env`, kind: 'variable', name: variable ?? '' };
}

/** Whether a certificate and its key are named together. */
export function checkKeyPair(
  { certFile, keyFile }: Pick<TlsConfig, 'certFile' | 'keyFile'>,
  context: CheckContext,
): void {
  if (certFile !== undefined && keyFile === undefined)
    complain(context, 'keyFile', 'write the file with the key that belongs to certFile');
  if (keyFile !== undefined && certFile === undefined)
    complain(
      context,
      'certFile',
      'write the file with the certificate that belongs to keyFile, or remove keyFile',
    );
}

function checkSasl(settings: SaslSettings, context: CheckContext): void {
  const { mechanism, username } = settings;
  const isToken = mechanism === 'OAUTHBEARER';
  const [wanted, other] = isToken ? (['token', 'password'] as const) : (['password', 'token'] as const);
  if (!isToken && username === undefined)
    complain(context, 'username', `write the user that ${mechanism} logs in`);
  if (isToken && username !== undefined)
    complain(context, 'username', 'remove it; with OAUTHBEARER the token says who logs in');
  const [file, env] = [settings[`${wanted}File`], settings[`${wanted}Env`]];
  if (file === undefined && env === undefined)
    complain(
      context,
      `${wanted}File`,
      `write the file that holds the ${wanted}, or as ${wanted}Env the environment variable that does`,
    );
  if (file !== undefined && env !== undefined)
    complain(context, `${wanted}Env`, `write ${wanted}File or ${wanted}Env, not both`);
  for (const setting of [`${other}File`, `${other}Env`] as const)
    if (settings[setting] !== undefined)
      complain(context, setting, `remove it; ${mechanism} takes a ${wanted}`);
}

function complain(context: CheckContext, setting: string, message: string): void {
  context.addIssue({ code: 'custom', path: [setting], message, input: undefined });
}
