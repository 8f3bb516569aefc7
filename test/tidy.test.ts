import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { codeRules } from './tidy/code-rules.ts';
import { importRules } from './tidy/import-rules.ts';
import { sourceFile } from './tidy/source-file.ts';
import { readTree, type Tree } from './tidy/tree.ts';
import { treeRules } from './tidy/tree-rules.ts';

const rules = [...importRules, ...codeRules, ...treeRules];
const tree = await readTree(fileURLToPath(new URL('..', import.meta.url)));

describe('in this checkout', () => {
  test.each(rules)('$name', ({ violations }) => {
    expect(violations(tree)).toEqual([]);
  });
});

type Files = Readonly<Record<string, string>>;

const treeOf = (files: Files): Tree => Object.entries(files).map(([path, text]) => sourceFile(path, text));

/** Says what a rule must catch: files, and for each violation, in order, a piece of its text. */
interface Canary {
  readonly rule: string;
  readonly bad: Files;
  readonly caught: readonly string[];
  /** Nearly the same, and allowed. */
  readonly good: Files;
}

const manifest = (content: object): string => JSON.stringify(content);
const lines = (count: number): string => 'x;\n'.repeat(count);
/** Written in pieces, so that this file does not break the rule itself. */
const machineFolder = ['', 'home', 'somebody', ''].join('/');
const packageHost = ['registry', 'example', 'org'].join('.');

const canaries: readonly Canary[] = [
  {
    rule: 'imports of src obey the table of layers',
    bad: {
      'src/core/a.ts': "import { readFile } from 'node:fs/promises';\nimport { b } from '../log/b.ts';",
      'src/ingest/c.ts': "import type { B } from '../log/b.ts';",
      'src/log/d.ts': "export * from '../edge/e.ts';",
      'src/forwarder/f.ts': "const test = await import('../../test/support/g.ts');",
      'src/shared/h.ts': '',
    },
    caught: [
      'src/core/a.ts:1: src/core imports nothing, not node:fs/promises',
      'src/core/a.ts:2: src/core may not import src/log/b.ts',
      'src/ingest/c.ts:1: src/ingest may not import src/log/b.ts',
      'src/log/d.ts:1: src/log may not import src/edge/e.ts',
      'src/forwarder/f.ts:1: src/forwarder may not import test/support/g.ts',
      'src/shared/h.ts: src/shared is not in the table',
    ],
    good: {
      'src/core/a.ts': "import { b } from './b.ts'; // from '../log/c.ts'",
      'src/forwarder/c.ts':
        "import { b } from '../core/b.ts';\nconst text = \"import '../edge/e.ts'\";\nimport { d } from '../log/d.ts';",
      'src/edge/e.ts': "import p from '../../package.json' with { type: 'json' };\nimport '../ingest/i.ts';",
    },
  },
  {
    rule: 'each outside package is imported in one file of src',
    bad: {
      'src/log/a.ts': "import { x } from '@scope/outside';",
      'src/log/b.ts': "import type { X } from '@scope/outside/types';",
    },
    caught: ['@scope/outside is imported in src/log/a.ts and src/log/b.ts'],
    good: {
      'src/log/a.ts': "import { x } from 'outside';\nimport { y } from 'outside/y';\nimport 'node:fs';",
      'src/log/b.ts': "import 'node:fs';",
      'test/b.ts': "import 'outside';",
    },
  },
  {
    rule: 'dependencies are declared, exact and used',
    bad: {
      'package.json': manifest({ dependencies: { loose: '^1.0.0' }, devDependencies: { newest: 'latest' } }),
      'src/log/a.ts': "import { x } from 'undeclared';\nimport 'newest';",
      'test/b.ts': "import 'unheard-of';",
      'demo/c.ts': "import 'unseen';",
    },
    caught: [
      'loose ^1.0.0 is not an exact version',
      'newest latest is not an exact version',
      'src imports undeclared',
      'src imports newest',
      'tests import unheard-of',
      'tests import unseen',
      'nothing in src imports loose',
    ],
    good: {
      'package.json': manifest({
        dependencies: { used: '1.0.0', '@scope/used': '2.0.0-beta.1' },
        devDependencies: { tool: '3.0.0' },
      }),
      'src/log/a.ts': "import 'used/deep';\nimport '@scope/used';\nimport { join } from 'node:path';",
      'test/b.ts': "import 'tool';",
    },
  },
  {
    rule: 'each file of src is imported by src',
    bad: { 'src/log/a.ts': '', 'test/log/a.test.ts': "import '../../src/log/a.ts';" },
    caught: ['src/log/a.ts: nothing in src imports it'],
    good: {
      'src/edge/main.ts': "new Worker(new URL('../log/a.ts', import.meta.url));",
      'src/log/a.ts': '',
    },
  },
  {
    rule: 'each file of src has a test',
    bad: {
      'src/edge/main.ts': "import './a.ts';",
      'src/edge/a.ts': "import '../log/b.ts';",
      'src/log/b.ts': '',
      'test/process/main.test.ts': "spawn(new URL('../../src/edge/main.ts', import.meta.url));",
    },
    caught: ['src/edge/a.ts: no test imports it', 'src/log/b.ts: no test imports it'],
    good: {
      'src/log/a.ts': "import './b.ts';",
      'src/log/b.ts': '',
      'test/log/a.test.ts': "import '../../src/log/a.ts';",
      'src/edge/registry.ts': "import '../ingest/c.ts';",
      'src/ingest/c.ts': '',
      'test/ingest/all.test.ts': "import '../../src/edge/registry.ts';",
    },
  },
  {
    rule: 'time, timers, randomness and the process come through ports',
    bad: {
      'src/log/a.ts':
        "Date.now();\nnew Date();\nMath.random();\nsetTimeout(f, 1);\nprocess.exit();\nperformance.now();\nimport 'node:timers';",
      'src/core/b.ts': 'randomBytes(4);\nAbortSignal.timeout(1);',
    },
    caught: [
      'src/log/a.ts:1: Date.now: read time from the Clock port',
      'src/log/a.ts:2: new Date()',
      'src/log/a.ts:6: performance.now',
      'src/log/a.ts:4: setTimeout(: wait with the Clock port',
      'src/log/a.ts:3: Math.random: use the Random port',
      'src/log/a.ts:5: process.',
      'src/core/b.ts:2: AbortSignal.timeout(',
      'src/core/b.ts:1: randomBytes',
      'src/log/a.ts:7: node:timers',
    ],
    good: {
      'src/platform/a.ts': 'Date.now(); Math.random(); process.exit();',
      'src/edge/b.ts': 'setTimeout(f, 1);',
      'src/log/c.ts':
        "new Date(milliseconds); this.process.end(); // Date.now()\nconst text = 'process.exit';",
      'test/d.ts': 'Date.now();',
    },
  },
  {
    rule: 'tests wait for what they expect, never a fixed time',
    bad: { 'test/a.test.ts': "import { setTimeout as sleep } from 'node:timers/promises';" },
    caught: ['test/a.test.ts:1: setTimeout: poll with a deadline'],
    good: { 'test/support/until.ts': 'setTimeout(f, 1);', 'test/a.test.ts': '// not setTimeout' },
  },
  {
    rule: 'nothing is silenced, postponed or untyped',
    bad: {
      'test/a.test.ts':
        "vi.mock('./b.ts');\ntest.only('a', f);\ntest.skip('b', f);\nit.todo('c');\nit.skipIf(x)('d', f);",
      'src/log/b.ts':
        'const a: any = b as any;\n// TODO later\n/* v8 ignore next */ // biome-ignore lint: so\n',
      'bench/c.ts': '// @ts-expect-error\n// see #12',
      'demo/d.ts': '// FIXME',
    },
    caught: [
      'test/a.test.ts:1: vi.mock(',
      'test/a.test.ts:2: .only(',
      'test/a.test.ts:3: .skip(',
      'test/a.test.ts:4: .todo(',
      'test/a.test.ts:5: .skipIf(',
      'src/log/b.ts:1: any',
      'src/log/b.ts:1: any',
      'src/log/b.ts:3: v8 ignore',
      'src/log/b.ts:3: biome-ignore',
      'src/log/b.ts:2: TODO',
      'bench/c.ts:1: @ts-expect-error',
      'bench/c.ts:2: #12',
      'demo/d.ts:1: FIXME',
    ],
    good: {
      'src/log/a.ts': "await Promise.any(all); // any of them\nconst text = 'TODO: any';\nthis.#a1 = /TODO/;",
    },
  },
  {
    rule: 'a number with a unit stands in src/core/limits.ts',
    bad: {
      'src/log/a.ts':
        'const waitMs = 500;\nconst BYTES_MAX = 64 * KIB;\nf({ timeoutMs: 1_000 });\n#idleSeconds = 0.5;',
    },
    caught: ['waitMs is a bound', 'BYTES_MAX is a bound', 'timeoutMs is a bound', 'idleSeconds is a bound'],
    good: {
      'src/core/limits.ts': 'export const limits = { waitMs: 500 };',
      'src/log/a.ts':
        "let sumBytes = 0;\nf({ timeoutMs: limits.waitMs });\nif (waitMs >= 5) g('waitMs = 500');",
      'src/log/journal/frame.ts': 'export const frameHeaderBytes = 48;',
    },
  },
  {
    rule: 'the list of sizes fixed by a format names what exists',
    bad: {},
    caught: Array.from({ length: 10 }, () => 'is gone; remove it'),
    good: Object.fromEntries(tree.map(({ path, text }) => [path, text])),
  },
  {
    rule: 'an exported function or class says what it promises',
    bad: {
      'src/log/a.ts':
        'export function a() {}\nexport class B {}\n// no doc comment\nexport const c = (x: string): void => {};\n/** Of another. */\nconst d = 1;\nexport async function e() {}',
      'demo/f.ts': 'export function f() {}',
    },
    caught: [
      'a.ts:1: a needs',
      'a.ts:2: B needs',
      'a.ts:4: c needs',
      'a.ts:7: e needs',
      'demo/f.ts:1: f needs',
    ],
    good: {
      'src/log/a.ts':
        '/** A. */\nexport function a() {}\nfunction b() {}\nexport const c = 1;\n/** D. */\nexport const d = () => 1;',
      'test/b.ts': 'export function b() {}',
    },
  },
  {
    rule: 'names are full words, the same for the same thing',
    bad: {
      'src/log/a.ts': 'const walPath = b;\nf((err) => g);\nconst { c, req } = d;\nlet MSG_COUNT = 1;',
      'demo/b.ts': 'const idx = 1;',
    },
    caught: [
      'walPath: write journal',
      'err: write error',
      'req: write request',
      'MSG_COUNT: write message',
      'idx: write index',
    ],
    good: {
      'src/log/a.ts': "request({ numPartitions: 1 }); logger.warn({ err: error }, 'msg'); const wall = 1;",
    },
  },
  {
    rule: 'a file has one idea: at most 400 lines, a test 800',
    bad: { 'src/log/a.ts': lines(401), 'demo/c.ts': lines(401), 'test/b.ts': lines(801) },
    caught: ['src/log/a.ts: 401 lines', 'demo/c.ts: 401 lines', 'test/b.ts: 801 lines'],
    good: { 'src/log/a.ts': lines(400), 'test/b.ts': lines(800) },
  },
  {
    rule: 'folders and files are named for what they do',
    bad: { 'src/utils/a.ts': '', 'src/log/index.ts': '', 'test/helpers.ts': '', 'test/common/b.txt': '' },
    caught: ['src/utils/a.ts', 'src/log/index.ts', 'test/helpers.ts', 'test/common/b.txt'],
    good: { 'src/log/journal/file-index.ts': '', 'docs/index.md': '' },
  },
  {
    rule: 'no text names a machine or a package registry',
    bad: {
      'README.md': `see\n${machineFolder}file`,
      'package-lock.json': JSON.stringify({ resolved: `https://${packageHost}/a.tgz` }),
    },
    caught: [
      `README.md:2: ${machineFolder}`,
      'package-lock.json:1: "resolved"',
      `package-lock.json:1: ${packageHost}`,
    ],
    good: { 'README.md': 'the framework/root/ of ./data, /var/lib/headwater and registry.close()' },
  },
  {
    rule: 'each metric, limit and error code is used',
    bad: {
      'src/core/metrics.ts': "export const rows = {\n  headwater_a_total: row('counter', 'A.'),\n};",
      'src/core/errors.ts': "export type ErrorCode =\n  | 'never-thrown';",
      'src/core/limits.ts': 'export const limits = {\n  waitMsMax: 5,\n};\nassert(limits.waitMsMax < 6);',
      'src/core/forwarder-limits.ts': 'export const forwarderLimits = {\n  lingerMsMax: 5,\n};',
      'src/core/anomaly-limits.ts': 'export const anomalyLimits = {\n  openAlertsMax: 5,\n};',
      'src/core/serial-limits.ts': 'export const serialLimits = {\n  serialPortsMax: 5,\n};',
      'src/core/admin-limits.ts': 'export const adminLimits = {};',
      'src/core/service-limits.ts': 'export const serviceLimits = {};',
      'src/core/support-limits.ts': 'export const supportLimits = {};',
      'src/core/appliance-limits.ts': 'export const applianceLimits = {};',
    },
    caught: [
      'headwater_a_total',
      'never-thrown',
      'waitMsMax',
      'lingerMsMax',
      'openAlertsMax',
      'serialPortsMax',
    ],
    good: {
      'src/core/metrics.ts': "export const rows = {\n  headwater_a_total: row('counter', 'A.'),\n};",
      'src/core/errors.ts': "export type ErrorCode =\n  | 'thrown';",
      'src/core/limits.ts': 'export const limits = {\n  waitMsMax: 5,\n};',
      'src/core/forwarder-limits.ts': 'export const forwarderLimits = {};',
      'src/core/anomaly-limits.ts': 'export const anomalyLimits = {};',
      'src/core/serial-limits.ts': 'export const serialLimits = {};',
      'src/core/admin-limits.ts': 'export const adminLimits = {};',
      'src/core/service-limits.ts': 'export const serviceLimits = {};',
      'src/core/support-limits.ts': 'export const supportLimits = {};',
      'src/core/appliance-limits.ts': 'export const applianceLimits = {};',
      'src/log/a.ts':
        "metrics.add('headwater_a_total', 1); throw new OperatingError('thrown', text(limits.waitMsMax));",
    },
  },
  {
    rule: 'documents name files that exist',
    bad: { 'src/log/DESIGN.md': 'see `src/log/gone.ts`,\n`test/gone/` and `lost.ts`' },
    caught: ['there is no src/log/gone.ts', 'there is no test/gone/', 'there is no lost.ts'],
    good: {
      'src/log/DESIGN.md': 'see `src/log/journal/frame.ts`, `frame.ts`, `src/log` and `src/log/`',
      'src/log/journal/frame.ts': '',
      'CHANGELOG.md': 'removed `src/log/gone.ts`',
    },
  },
  {
    rule: 'documents name scripts that exist',
    bad: { 'package.json': manifest({ scripts: { check: '' } }), 'README.md': 'npm run -s chekc -- --now' },
    caught: ['README.md:1: package.json has no script chekc'],
    good: { 'package.json': manifest({ scripts: { 'test:sim': '' } }), 'README.md': '`npm run test:sim`' },
  },
];

describe('a canary', () => {
  test('is there for each rule', () => {
    expect(canaries.map(({ rule }) => rule)).toEqual(rules.map(({ name }) => name));
  });

  test.each(canaries)(
    'is caught, and what is nearly the same is not: $rule',
    ({ rule, bad, caught, good }) => {
      const violations = rules.find(({ name }) => name === rule)?.violations;
      expect(violations?.(treeOf(bad))).toEqual(caught.map((piece) => expect.stringContaining(piece)));
      expect(violations?.(treeOf(good))).toEqual([]);
    },
  );
});

describe('a source file', () => {
  test('is code without what only looks like it', () => {
    const text = [
      "const a = 'it\\'s // no comment'; // it's a comment",
      `const b = \`a \${c({ d: \`x \${e} y\` })} // z\`; /* \`a\` */`,
      'const f = g / 2 / h; const i = /[/\'"`]+\\//.test(j);',
      'return /a"b/;',
    ].join('\n');
    const { code, comments } = sourceFile('a.ts', text);
    expect(
      code
        .replaceAll(/ +/g, ' ')
        .split('\n')
        .map((line) => line.trim()),
    ).toEqual([
      "const a = ' ';",
      `const b = \` \${c({ d: \` \${e} \` })} \`;`,
      'const f = g / 2 / h; const i = .test(j);',
      'return ;',
    ]);
    expect(comments.trim().split(/\s{2,}|\n/)).toEqual(["// it's a comment", '/* `a` */']);
    expect(code).toHaveLength(text.length);
  });
});
