import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { limits } from '../../core/limits.ts';

/** A password as addresses have one: `user:password@host`, `mqtt://user:password@host`. */
const passwordInAddress = /:(?!\/\/)([\s\S]+)@/;

/** Whether a text looks like an address with a password in it, which is then quoted nowhere. */
export const carriesPassword = (text: string): boolean => passwordInAddress.test(text);

/** The text, with `***` for such a password. */
export const withoutPassword = (text: string): string => text.replace(passwordInAddress, ':***@');

/** What settings are called that people write secrets into, whether there is such a setting or not. */
const secretName = /passw|token|secret|credential|api_?key/i;

/** Sections about secrets, so that a text in their place is likely to be one. */
const secretSection = /^sasl$/;

/** Where secrets that are in their right place are looked for. */
export interface SecretPlaces {
  /** Where relative paths start. */
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Texts of a tree of settings, right or wrong, that may be secrets: passwords in addresses, what stands where a secret is named, and
 * names of secret files and variables that are not here. The longest come first, so that none is left in part of another.
 */
export function writtenSecrets(tree: unknown, places: SecretPlaces): readonly string[] {
  const found = new Set<string>();
  const walk = (value: unknown, name: string, isSecret: boolean): void => {
    if (typeof value === 'object' && value !== null) {
      for (const [inner, item] of Object.entries(value)) {
        for (const password of passwordsIn(inner)) found.add(password);
        const innerName = Array.isArray(value) ? name : inner;
        walk(item, innerName, isSecret || secretName.test(innerName));
      }
      return;
    }
    if (typeof value !== 'string' && typeof value !== 'number') return;
    const text = String(value);
    for (const password of passwordsIn(text)) found.add(password);
    if ((isSecret || secretSection.test(name)) && !isPlace(name, text, places)) found.add(text);
  };
  walk(tree, '', false);
  return [...found]
    .filter((secret) => secret.length >= limits.writtenSecretLengthMin)
    .toSorted((one, other) => other.length - one.length);
}

/** As it is written, and as it is meant where `%40` stands for `@`. */
function passwordsIn(text: string): readonly string[] {
  const [, password] = passwordInAddress.exec(text) ?? [];
  if (password === undefined) return [];
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    return [password];
  }
}

/** Whether a setting names where its secret is, and it is there. */
function isPlace(name: string, text: string, { workingDirectory, environment }: SecretPlaces): boolean {
  if (name.endsWith('File')) return existsSync(resolve(workingDirectory, text));
  return name.endsWith('Env') && environment[text] !== undefined;
}
