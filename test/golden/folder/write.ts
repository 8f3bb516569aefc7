import { writtenToday } from './contents.ts';
import { filesToHex } from './hex.ts';

/*
 * `node test/golden/folder/write.ts > test/golden/folder/format-N.hex`, once for each new format; the fixtures of older
 * ones stay as they are.
 */
process.stdout.write(filesToHex(await writtenToday()));
