import { expect, onTestFinished, test, vi } from 'vitest';
import { readServiceJournal } from '../../src/platform/service-journal.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('where there is no journal, it says so', async () => {
  await using folder = await temporaryFolder();
  vi.stubEnv('PATH', folder.path);
  onTestFinished(() => void vi.unstubAllEnvs());
  await expect(readServiceJournal()).rejects.toThrow('there is no journalctl here');
});
