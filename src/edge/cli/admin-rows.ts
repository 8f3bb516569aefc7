import { adminUrl, tlsRow } from '../listeners/listener-rows.ts';
import type { StatusReport } from '../status.ts';

/** Where the page is, by which certificate, and what keeps people from it. */
export function adminRows({
  addresses,
  admin,
}: Pick<StatusReport, 'addresses' | 'admin'>): readonly string[] {
  const { tls, state, problem } = admin;
  return [
    `${adminUrl(addresses.admin, tls !== null)}/`,
    ...(tls === null ? [] : [tlsRow(tls)]),
    ...(state === 'claimed' ? [] : ['nobody has set its password yet: headwater admin claim-code']),
    ...[...(tls?.problems ?? []), ...(problem === null ? [] : [problem])].map((text) => `TROUBLE: ${text}`),
  ];
}
