import { accessSync, constants } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

const START_MS_MAX = 30_000;
const ACTION_MS_MAX = 15_000;
const SHOTS = fileURLToPath(new URL('../../test-output/browser/', import.meta.url));

/** Nothing but what the page asks for: the browser itself is to be silent. */
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** How screenshots are taken: two widths, and both colour schemes. */
const looks = [
  { look: 'light', width: 1280, height: 900, colorScheme: 'light' },
  { look: 'dark', width: 1280, height: 900, colorScheme: 'dark' },
  { look: 'phone', width: 390, height: 844, colorScheme: 'light' },
] as const;

function executable(): string {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, 'chromium');
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {}
  }
  throw new Error('the tier browser needs Chromium: apt-get install chromium (on Debian)');
}

/** Starts Chromium, with a profile of its own that goes with it. @throws Error that says how to get it */
export const startBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: executable(), args: flags, timeout: START_MS_MAX });

/** Somebody who looks at the page; all that the browser asked for and said is known. */
export class Visitor implements AsyncDisposable {
  readonly page: Page;
  readonly #context: BrowserContext;
  /** Origins of all requests. */
  readonly origins = new Set<string>();
  /** What the page did wrong: exceptions, and refusals by the content security policy. */
  readonly faults: string[] = [];

  private constructor(context: BrowserContext, page: Page) {
    this.#context = context;
    this.page = page;
    context.on('request', (request) => this.origins.add(new URL(request.url()).origin));
    page.on('pageerror', (error) => this.faults.push(String(error)));
    page.on('dialog', (dialog) => this.faults.push(`a dialog: ${dialog.message()}`));
    page.on('console', (message) => {
      if (/content security policy/i.test(message.text())) this.faults.push(message.text());
    });
  }

  /** @param token what the command line shows; without it, the page asks who is there */
  static async arrive(browser: Browser, token?: string): Promise<Visitor> {
    const extraHTTPHeaders = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const context = await browser.newContext({
      extraHTTPHeaders,
      viewport: { width: 1280, height: 900 },
      reducedMotion: 'reduce',
      // That of the gateway is its own, which nobody has told the browser to trust.
      ignoreHTTPSErrors: true,
    });
    context.setDefaultTimeout(ACTION_MS_MAX);
    return new Visitor(context, await context.newPage());
  }

  /** Opens a page of the gateway, whose origin this is. */
  async open(origin: string, path = '/'): Promise<void> {
    await this.page.goto(`${origin}${path}`);
  }

  /** Keeps how the page looks now, in `test-output/browser`; the width is that of a desktop again then. */
  async shoot(name: string, isWhole = true): Promise<void> {
    await mkdir(SHOTS, { recursive: true });
    for (const { look, width, height, colorScheme } of looks) {
      await this.page.emulateMedia({ colorScheme });
      await this.page.setViewportSize({ width, height });
      await this.page.screenshot({ path: join(SHOTS, `${name}-${look}.png`), fullPage: isWhole });
    }
    await this.page.emulateMedia({ colorScheme: 'light' });
    await this.page.setViewportSize({ width: 1280, height: 900 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
  }
}
