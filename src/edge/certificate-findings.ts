import { limits } from '../core/limits.ts';
import type { Finding } from '../forwarder/kafka/kafka-findings.ts';

/** What has been found out about the certificates of one listener, or of one connection that the gateway makes. */
export interface CertificatesExamination {
  /** The section of the configuration for them, such as `mqtt.tls`. */
  readonly section: string;
  /** What keeps them from being used, each with its setting and what to do. */
  readonly problems: readonly string[];
  /** The gateway's own certificate, if a listener shows that and the next start makes one. */
  readonly making: { readonly path: string; readonly isAnew: boolean } | null;
  /** Those that could be read. */
  readonly files: readonly CertificateEnd[];
}

/** Until when what a file holds is good. */
export interface CertificateEnd {
  readonly path: string;
  readonly endMs: number;
}

/** What an examination of certificates means: a line each if all is well, else one for each thing that is not. Pure. */
export function certificateFindings(
  examinations: readonly CertificatesExamination[],
  nowMs: number,
): readonly Finding[] {
  return examinations.flatMap((examined) => {
    const bad = [
      ...examined.problems.map((problem) => finding('wrong', problem)),
      ...makingFindings(examined),
      ...examined.files.flatMap((file) => endFindings(examined.section, file, nowMs)),
    ];
    const [soonest] = examined.files.toSorted((one, other) => one.endMs - other.endMs);
    if (bad.length > 0 || soonest === undefined) return bad;
    return [finding('ok', `${examined.section}: ${soonest.path} is good until ${dayOf(soonest.endMs)}`)];
  });
}

function makingFindings({ section, making }: CertificatesExamination): readonly Finding[] {
  if (making === null) return [];
  const { path, isAnew } = making;
  return isAnew
    ? [
        finding(
          'warning',
          `${section}: ${path} is damaged, or its key is lost: the gateway makes another one when it next starts, which clients have to be given`,
        ),
      ]
    : [finding('ok', `${section}: ${path} is not there yet; the gateway makes it when it next starts`)];
}

function endFindings(section: string, { path, endMs }: CertificateEnd, nowMs: number): readonly Finding[] {
  if (endMs <= nowMs)
    return [finding('wrong', `${section}: ${path} has expired on ${dayOf(endMs)}: renew it`)];
  if (endMs - nowMs < limits.certificateWarningMs)
    return [finding('warning', `${section}: ${path} ends on ${dayOf(endMs)}: renew it`)];
  return [];
}

const dayOf = (wallMs: number): string => new Date(wallMs).toISOString().slice(0, 10);

const finding = (level: Finding['level'], text: string): Finding => ({ level, about: 'certificate', text });
