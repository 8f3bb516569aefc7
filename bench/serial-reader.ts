import { createWriteStream } from 'node:fs';
import { ReadlineParser, SerialPort } from 'serialport';

/*
 * The plain reader beside the gateway, in a process of its own: lines of a serial port, appended to a file as they come. It tells
 * when the port is open, knows no JSON and waits for no disk. Arguments: the port and the file.
 */
const [path = '', file = ''] = process.argv.slice(2);
const port = new SerialPort({ path, baudRate: 115_200 });
const lines = port.pipe(new ReadlineParser());
const out = createWriteStream(file, { flags: 'a' });
lines.on('data', (line: string) => out.write(`${line}\n`));
port.once('open', () => process.send?.('open'));
