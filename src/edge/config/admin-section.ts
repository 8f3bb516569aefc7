import { limits } from '../../core/limits.ts';
import { type Address, isLoopback } from './address.ts';
import { checkKeyPair } from './cluster-sections.ts';
import { hostName, listenAddress } from './name-kinds.ts';
import { file, list, section } from './setting-kinds.ts';

const DEFAULT_LISTEN = '127.0.0.1:8080';

/** `admin`: where the page and the API are. */
export const adminSection = () =>
  section({
    /** Beyond loopback by HTTPS only. */
    listen: listenAddress(DEFAULT_LISTEN).prefault(DEFAULT_LISTEN),
    /** That it is there means HTTPS on loopback as well. Without the files the gateway makes its own certificate. */
    tls: section(
      { certFile: file().optional(), keyFile: file().optional() },
      'or {} for HTTPS with a certificate of its own',
    )
      .superRefine(checkKeyPair)
      .optional(),
    /** By what else people reach it, such as through a proxy, at whatever port. */
    names: list(hostName(), 'names of hosts, such as [gw1.example.com]', limits.adminNamesMax).default([]),
  });

/** Files are read again when they change. */
export interface AdminConfig {
  readonly listen: Address;
  readonly tls?:
    | { readonly certFile?: string | undefined; readonly keyFile?: string | undefined }
    | undefined;
  readonly names: readonly string[];
}

/** Whether it is served by HTTPS. */
export const isAdminSecured = ({ listen, tls }: AdminConfig): boolean =>
  tls !== undefined || !isLoopback(listen.host);

/** The same with paths that no longer depend on the working directory. */
export function resolvedAdmin(admin: AdminConfig, resolve: (path: string) => string): AdminConfig {
  if (admin.tls === undefined) return admin;
  const resolved = (path: string | undefined) => (path === undefined ? undefined : resolve(path));
  const { certFile, keyFile } = admin.tls;
  return { ...admin, tls: { certFile: resolved(certFile), keyFile: resolved(keyFile) } };
}
