import { posix } from 'node:path';

/** One text file of the repository, as the rules look at it. */
export interface SourceFile {
  /** From the root of the repository, with `/`. */
  readonly path: string;
  readonly text: string;
  /** The text with comments and the inside of strings and regular expressions blanked; same length, same lines. */
  readonly code: string;
  /** The text with everything but comments blanked; same length, same lines. */
  readonly comments: string;
  readonly imports: readonly Import[];
}

export interface Import {
  /** As written. */
  readonly specifier: string;
  /** For a relative import the path from the root, else null. */
  readonly path: string | null;
  readonly at: number;
}

/** Looks at a text file; of what is not TypeScript, all is text and nothing is code. */
export function sourceFile(path: string, text: string): SourceFile {
  if (!path.endsWith('.ts')) return { path, text, code: '', comments: '', imports: [] };
  const { code, comments } = separate(text);
  return { path, text, code, comments, imports: importsOf(path, text, code) };
}

/** `import … from`, `export … from`, `import('…')`, `import.meta.resolve('…')`, which finds files to serve, and `new URL('…', import.meta.url)`, which starts processes. */
const importPattern =
  /\b(?:from\s+|import\s+|import\(\s*|import\.meta\.resolve\(\s*|new URL\(\s*)(['"])(\s*)\1/g;

function importsOf(path: string, text: string, code: string): readonly Import[] {
  return [...code.matchAll(importPattern)].map((match) => {
    const end = match.index + match[0].length - 1;
    const specifier = text.slice(end - (match[2]?.length ?? 0), end);
    const isRelative = specifier.startsWith('.');
    return {
      specifier,
      path: isRelative ? posix.join(posix.dirname(path), specifier) : null,
      at: match.index,
    };
  });
}

type Kind = 'code' | 'comment' | 'inside';

const lineComment = /\/\/[^\n]*/y;
const blockComment = /\/\*[\s\S]*?\*\//y;
const quoted = /'(?:\\[\s\S]|[^'\\\n])*'|"(?:\\[\s\S]|[^"\\\n])*"/y;
const regularExpression = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y;
const templatePiece = /(?:\\[\s\S]|\$(?!\{)|[^`\\$])*/y;
const plain = /[^'"`/{}]+/y;
/** After these, a slash begins a regular expression; elsewhere it divides. */
const beforeRegularExpression =
  /(?:^|[=(,:;[!&|?{}+~<>*%-]|\b(?:return|case|typeof|of|in|await|yield|throw))\s*$/;

function separate(text: string): { readonly code: string; readonly comments: string } {
  let code = '';
  let comments = '';
  const take = (length: number, kind: Kind): void => {
    const piece = text.slice(code.length, code.length + length);
    const blank = piece.replaceAll(/[^\n]/g, ' ');
    code += kind === 'code' ? piece : blank;
    comments += kind === 'comment' ? piece : blank;
  };
  const lengthOf = (pattern: RegExp): number => {
    pattern.lastIndex = code.length;
    return pattern.exec(text)?.[0].length ?? 0;
  };
  /** How many braces are open in each `${` we are in. */
  const openBraces: number[] = [];
  const takeTemplatePiece = (): void => {
    take(1, 'code');
    take(lengthOf(templatePiece), 'inside');
    if (text.startsWith('${', code.length)) {
      openBraces.push(0);
      take(2, 'code');
    } else take(1, 'code');
  };

  while (code.length < text.length) {
    take(lengthOf(plain), 'code');
    if (code.length === text.length) break;
    const commentLength = lengthOf(lineComment) || lengthOf(blockComment);
    const quotedLength = lengthOf(quoted);
    const next = text[code.length];
    if (commentLength > 0) take(commentLength, 'comment');
    else if (quotedLength > 0) {
      take(1, 'code');
      take(quotedLength - 2, 'inside');
      take(1, 'code');
    } else if (next === '`') takeTemplatePiece();
    else if (next === '}' && openBraces.at(-1) === 0) {
      openBraces.pop();
      takeTemplatePiece();
    } else if (next === '/' && beforeRegularExpression.test(code.slice(-80))) {
      take(lengthOf(regularExpression) || 1, 'inside');
    } else {
      const depth = openBraces.length - 1;
      if (depth >= 0 && next === '{') openBraces[depth] = (openBraces[depth] ?? 0) + 1;
      if (depth >= 0 && next === '}') openBraces[depth] = (openBraces[depth] ?? 0) - 1;
      take(1, 'code');
    }
  }
  return { code, comments };
}
