import { plantWhenLoaded } from '../test/support/planted-sources.ts';

/** Loaded with `node --import` into a gateway: each sync of its disk takes 20 ms longer, as on a card. */
plantWhenLoaded({
  name: 'slow-flush',
  file: 'src/platform/node-disk.ts',
  edits: [
    {
      find: 'await this.#handle.datasync();',
      replace: 'await this.#handle.datasync();\n    await new Promise((resolve) => setTimeout(resolve, 20));',
    },
  ],
});
