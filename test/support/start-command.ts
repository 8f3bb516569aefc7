import manifest from '../../package.json' with { type: 'json' };

/** How `npm start` starts the gateway: variables of its environment, and flags of Node. */
export interface StartCommand {
  readonly env: Readonly<Record<string, string>>;
  readonly flags: readonly string[];
}

/** Read from package.json, so that tests and benchmarks start what users start; without the cache of compiled code, whose path is relative. */
export const startCommand: StartCommand = parsed(manifest.scripts.start.split(' '));

function parsed(words: readonly string[]): StartCommand {
  const node = words.indexOf('node');
  const variables = words.slice(0, node).map((word) => word.split('=') as [string, string]);
  return {
    env: Object.fromEntries(variables.filter(([name]) => name !== 'NODE_COMPILE_CACHE')),
    flags: words.slice(node + 1).filter((word) => word.startsWith('--')),
  };
}
