import { lookup } from 'node:dns/promises';
import type { Clock } from '../core/clock.ts';

/** What a name of a host means here: addresses, or that nobody knows it, or that nobody was there to ask. */
export type NameAnswer = readonly string[] | 'unknown' | 'no-answer';

/** The addresses of a host, by all that this machine asks (hosts(5), DNS). @throws the error of the operating system */
export type LookUp = (host: string) => Promise<readonly string[]>;

/** That of this machine, as connections use it. */
export const machineLookUp: LookUp = async (host) =>
  (await lookup(host, { all: true })).map(({ address }) => address);

/** The same, but never rejects, and takes no answer that comes after so many milliseconds. */
export async function answerFor(
  host: string,
  {
    lookUp,
    clock,
    timeoutMs,
  }: { readonly lookUp: LookUp; readonly clock: Clock; readonly timeoutMs: number },
): Promise<NameAnswer> {
  const ended = new AbortController();
  const answer = lookUp(host).catch((error: unknown): NameAnswer => {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    return code === 'EAI_AGAIN' ? 'no-answer' : 'unknown';
  });
  try {
    return await Promise.race([
      answer,
      clock.sleep(timeoutMs, ended.signal).then((): NameAnswer => 'no-answer'),
    ]);
  } finally {
    ended.abort();
  }
}
