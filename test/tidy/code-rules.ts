import { at, type Rule, sourcesIn, type Tree } from './tree.ts';

interface Ban {
  readonly pattern: RegExp;
  readonly instead: string;
}

/** Violations for every place of a view where a banned pattern stands. */
function banned(files: Tree, view: 'code' | 'comments', bans: readonly Ban[]): readonly string[] {
  return files.flatMap((file) =>
    bans.flatMap(({ pattern, instead }) =>
      [...file[view].matchAll(pattern)].map((match) =>
        at(file, match.index, `${match[0].trim()}: ${instead}`),
      ),
    ),
  );
}

const ambientBans: readonly Ban[] = [
  { pattern: /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b/g, instead: 'read time from the Clock port' },
  {
    pattern: /\bset(?:Timeout|Interval|Immediate)\(|\bAbortSignal\.timeout\(/g,
    instead: 'wait with the Clock port',
  },
  {
    pattern: /\bMath\.random\b|\brandom(?:Bytes|UUID|Int)\b|\bgetRandomValues\b/g,
    instead: 'use the Random port',
  },
  { pattern: /(?<![.\w#])process\./g, instead: 'the process belongs to src/platform and src/edge' },
];

const ambientModules = new Set(['node:process', 'node:timers', 'node:timers/promises', 'node:perf_hooks']);

const ambient: Rule = {
  name: 'time, timers, randomness and the process come through ports',
  violations: (tree) => {
    const files = sourcesIn(tree, 'src').filter(({ path }) => !/^src\/(?:platform|edge)\//.test(path));
    return [
      ...banned(files, 'code', ambientBans),
      ...files.flatMap((file) =>
        file.imports
          .filter(({ specifier }) => ambientModules.has(specifier))
          .map(({ specifier, at: position }) => at(file, position, `${specifier}: use a port of src/core`)),
      ),
    ];
  },
};

const sleeping: Rule = {
  name: 'tests wait for what they expect, never a fixed time',
  violations: (tree) =>
    banned(
      sourcesIn(tree, 'test').filter(({ path }) => path.endsWith('.test.ts')),
      'code',
      [
        {
          pattern: /\bsetTimeout\b/g,
          instead: 'poll with a deadline: expect.poll, or what test/support has',
        },
      ],
    ),
};

const markBans: readonly Ban[] = [
  { pattern: /\b(?:vi|vitest)\.(?:mock|doMock)\(/g, instead: 'use a twin of the port' },
  { pattern: /\.only\(/g, instead: 'it silences all other tests' },
  { pattern: /\.(?:skip|skipIf|runIf|todo|fails)\(/g, instead: 'write the test or remove it' },
  { pattern: /(?<![.\w])any\b(?!\w*\s*[(:,])/g, instead: 'name the type, or take unknown' },
];

const commentBans: readonly Ban[] = [
  { pattern: /\b(?:v8|c8|istanbul) ignore\b/g, instead: 'test it' },
  { pattern: /\bbiome-ignore\b/g, instead: 'do what Biome says' },
  { pattern: /@ts-(?:ignore|expect-error|nocheck)\b/g, instead: 'do what the compiler says' },
  { pattern: /\b(?:TODO|FIXME|XXX|HACK)\b/g, instead: 'do it, or leave it out' },
  { pattern: /(?<![\w&])#\d+\b/g, instead: 'say what it is; a number means nothing here' },
];

const marks: Rule = {
  name: 'nothing is silenced, postponed or untyped',
  violations: (tree) => {
    const files = sourcesIn(tree, 'src', 'test', 'bench', 'demo', 'deploy', '.ci');
    return [...banned(files, 'code', markBans), ...banned(files, 'comments', commentBans)];
  },
};

/** A name that ends in a unit or a bound, given a number other than 0. */
const measuredConstant =
  /(?<![.\w])#?(\w*(?:[a-z0-9](?:Ms|Seconds|Bytes|KiB|MiB|Max|Min)|_(?:MS|SECONDS|BYTES|KIB|MIB|MAX|MIN)))(?:: number)?\s*[=:]\s*(?!0\b(?![.x_]))\d/g;

/** Numbers that bound nothing: who changes one changes a format. */
const fixedByFormat: Readonly<Record<string, string>> = {
  'src/log/journal/frame.ts frameHeaderBytes': 'the header of a journal frame',
  'src/log/journal/file-header.ts fixedBytes': 'the header of a journal file up to its snapshot',
  'src/log/encoding/batch.ts batchHeaderBytes': 'the header of a Kafka record batch, magic 2',
  'src/log/encoding/bytes.ts varintBytesMax': 'of 64 bits, seven in a byte',
  'src/log/commits/placement.ts recordOverheadBytes': 'the varints of a Kafka record, at their longest',
  'src/log/commits/placement.ts headerOverheadBytes': 'the varints of a Kafka header, at their longest',
  'src/log/encoding/bytes.ts capacityBytes': 'the first size of a buffer that grows',
  'src/ingest/mqtt/packet-framer.ts LENGTH_BYTES_MAX': 'the remaining length of an MQTT packet',
  'src/anomaly/states/state-file.ts blockHeadBytes': 'length and checksum of a block of detector states',
  'src/edge/admin/admin-token.ts TOKEN_BYTES': 'the content of admin.token',
};

/** Where bounds stand, each in one place. */
export const limitTables: readonly string[] = [
  'src/core/limits.ts',
  'src/core/forwarder-limits.ts',
  'src/core/anomaly-limits.ts',
  'src/core/serial-limits.ts',
  'src/core/admin-limits.ts',
  'src/core/service-limits.ts',
  'src/core/support-limits.ts',
  'src/core/appliance-limits.ts',
];

const boundsIn = (tree: Tree) =>
  sourcesIn(tree, 'src')
    .filter(({ path }) => !limitTables.includes(path))
    .flatMap((file) =>
      [...file.code.matchAll(measuredConstant)].map(({ index, 1: name }) => ({
        constant: `${file.path} ${name}`,
        violation: at(file, index, `${name} is a bound; give it a row in src/core/limits.ts`),
      })),
    );

const bounds: Rule = {
  name: 'a number with a unit stands in src/core/limits.ts',
  violations: (tree) =>
    boundsIn(tree)
      .filter(({ constant }) => !(constant in fixedByFormat))
      .map(({ violation }) => violation),
};

const exceptions: Rule = {
  name: 'the list of sizes fixed by a format names what exists',
  violations: (tree) => {
    const found = new Set(boundsIn(tree).map(({ constant }) => constant));
    return Object.keys(fixedByFormat)
      .filter((constant) => !found.has(constant))
      .map((constant) => `${constant} is gone; remove it from the list in test/tidy/code-rules.ts`);
  },
};

const exportedCode =
  /^export (?:(?:async )?function\*?|(?:abstract )?class) (\w+)|^export const (\w+)(?:: [^=\n]+)? = (?:async )?(?:\w+|\([^;]*?\)(?:: [^;{=]*)?) =>/gm;

const documented: Rule = {
  name: 'an exported function or class says what it promises',
  violations: (tree) =>
    sourcesIn(tree, 'src', 'demo').flatMap((file) =>
      [...file.code.matchAll(exportedCode)]
        .filter(({ index }) => !file.text.slice(0, index).trimEnd().endsWith('*/'))
        .map(({ index, 1: name, 2: constant }) =>
          at(file, index, `${name ?? constant} needs a doc comment: what it promises, units, errors`),
        ),
    ),
};

/** One name per thing, in full. */
const fullWords: Readonly<Record<string, string>> = {
  buf: 'bytes or buffer',
  cb: 'callback, or what it does',
  cfg: 'config',
  conn: 'connection',
  ctx: 'context',
  err: 'error',
  evt: 'event',
  hwm: 'highWatermark',
  idx: 'index',
  len: 'length',
  leo: 'logEndOffset',
  lso: 'logStartOffset',
  mgr: 'the job it does',
  msg: 'message',
  num: 'count or number',
  opts: 'options',
  pkt: 'packet',
  rec: 'record',
  req: 'request',
  res: 'response or result',
  str: 'text',
  tmp: 'what it holds',
  val: 'value',
  wal: 'journal',
};

/** Where a name of ours begins; what stands before a colon in braces may be somebody else's. */
const declaredName =
  /(?:\b(?:const|let|function|class|interface|type)\s+|\(\s*)#?([A-Za-z]\w*)|[{,]\s*#?([A-Za-z]\w*)(?!\w|\s*:)/g;

const wordsOf = (name: string): readonly string[] =>
  name.split(/(?<=[a-z0-9])(?=[A-Z])|_/).map((word) => word.toLowerCase());

const words: Rule = {
  name: 'names are full words, the same for the same thing',
  violations: (tree) =>
    sourcesIn(tree, 'src', 'demo').flatMap((file) =>
      [...file.code.matchAll(declaredName)].flatMap(({ index, 1: declared, 2: name = declared ?? '' }) =>
        wordsOf(name).flatMap((word) => {
          const full = Object.hasOwn(fullWords, word) ? fullWords[word] : undefined;
          return full === undefined ? [] : [at(file, index, `${name}: write ${full} for ${word}`)];
        }),
      ),
    ),
};

/** What may stand in the code. */
export const codeRules: readonly Rule[] = [ambient, sleeping, marks, bounds, exceptions, documented, words];
