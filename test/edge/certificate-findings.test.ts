import { expect, test } from 'vitest';
import { type CertificatesExamination, certificateFindings } from '../../src/edge/certificate-findings.ts';

const nowMs = Date.UTC(2026, 0, 1);
const dayMs = 24 * 3600 * 1000;

const examined: CertificatesExamination = { section: 'admin.tls', problems: [], making: null, files: [] };
const endsIn = (days: number, path = '/c.pem') => ({ path, endMs: nowMs + days * dayMs });

test('what is good has one line for each section, with the end that comes first', () => {
  const files = [endsIn(400, '/ca.pem'), endsIn(31)];
  const findings = certificateFindings([{ ...examined, files }, examined], nowMs);
  expect(findings).toEqual([
    { level: 'ok', about: 'certificate', text: 'admin.tls: /c.pem is good until 2026-02-01' },
  ]);
});

test.each<[Partial<CertificatesExamination>, 'ok' | 'warning' | 'wrong', RegExp]>([
  [{ files: [endsIn(29)] }, 'warning', /^admin\.tls: \/c\.pem ends on 2026-01-30: renew it$/],
  [
    { files: [endsIn(0), endsIn(400)] },
    'wrong',
    /^admin\.tls: \/c\.pem has expired on 2026-01-01: renew it$/,
  ],
  [
    { problems: ['admin.tls.keyFile: copy it'], files: [endsIn(400)] },
    'wrong',
    /^admin\.tls\.keyFile: copy it$/,
  ],
  [
    { making: { path: '/o.pem', isAnew: false } },
    'ok',
    /^admin\.tls: \/o\.pem is not there yet; the gateway makes it/,
  ],
  [
    { making: { path: '/o.pem', isAnew: true } },
    'warning',
    /^admin\.tls: .*makes another one .* clients have to/,
  ],
])('%j is told by its section, once', (part, level, text) => {
  const findings = certificateFindings([{ ...examined, ...part }], nowMs);
  expect(findings).toEqual([{ level, about: 'certificate', text: expect.stringMatching(text) }]);
});
