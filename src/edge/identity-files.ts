import { limits } from '../core/limits.ts';
import { ADMIN_PASSWORD_FILE } from './admin/access/admin-password.ts';
import { ADMIN_TOKEN_FILE } from './admin/admin-token.ts';
import { OWN_CERTIFICATE_FILE, OWN_KEY_FILE } from './listeners/certificate-file.ts';
import { USERS_FILE } from './users/users-file.ts';

/** A file by which a gateway is known, or somebody is known to it. */
export interface IdentityFile {
  readonly name: string;
  /** The rights that it may have at most. */
  readonly mode: number;
  readonly bytesMax: number;
}

const OWNER_ONLY = 0o600;
const EVERYBODY = 0o644;

/**
 * Those of the data folder. The log id is not one: two logs of one id would be taken for each other. Nor is the claim code, which
 * is another one after each start.
 */
export const identityFiles: readonly IdentityFile[] = [
  { name: USERS_FILE, mode: OWNER_ONLY, bytesMax: limits.usersFileBytesMax },
  { name: ADMIN_PASSWORD_FILE, mode: OWNER_ONLY, bytesMax: limits.adminPasswordFileBytesMax },
  { name: ADMIN_TOKEN_FILE, mode: OWNER_ONLY, bytesMax: limits.ownCredentialBytesMax },
  { name: OWN_KEY_FILE, mode: OWNER_ONLY, bytesMax: limits.ownCredentialBytesMax },
  { name: OWN_CERTIFICATE_FILE, mode: EVERYBODY, bytesMax: limits.ownCredentialBytesMax },
];

/** Whether nobody but the gateway's own user may read it. */
export const isSecret = ({ mode }: IdentityFile): boolean => mode === OWNER_ONLY;
