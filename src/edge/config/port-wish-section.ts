import type { PortWish, UsbWish } from '../../ingest/wired/port-selection.ts';
import { type CheckContext, section, text } from './setting-kinds.ts';

/** Which port is meant: its path, or what its adapter says on USB. */
export const portWishSettings = () => ({ path: pathPattern().optional(), usb: usbSection().optional() });

/** Which port is meant, as people write it. */
export interface WrittenWish {
  readonly path?: string | undefined;
  readonly usb?: UsbWish | undefined;
}

/** What was written, once it has passed {@link checkWish}. */
export const wishOf = ({ path = '', usb }: WrittenWish): PortWish => (usb === undefined ? { path } : { usb });

/** One of the two says which port is meant. */
export function checkWish({ path, usb }: WrittenWish, context: CheckContext): void {
  const complain = (setting: string, message: string): void =>
    context.addIssue({ code: 'custom', path: [setting], message, input: undefined });
  if (path !== undefined && usb !== undefined) complain('usb', 'write path or usb, not both');
  if (path === undefined && usb === undefined)
    complain(
      'path',
      "write the path of a serial port, such as /dev/serial/by-id/usb-…, or usb: { vendor: '0403', product: '6001' }",
    );
}

/** The absolute path of a port, or of any that fits. */
function pathPattern() {
  const what =
    "the path of a serial port, such as /dev/serial/by-id/usb-…, perhaps with * in its last name, or usb: { vendor: '0403', product: '6001' } instead";
  return text(what, (path) => /^\/[^\0]*$/.test(path) && !/\*.*\//.test(path), /^\//);
}

const usbSection = () =>
  section({
    vendor: hexNumber('0403'),
    product: hexNumber('6001'),
    /** Tells adapters of one kind apart. */
    serial: text(
      'the serial number of the adapter, as headwater serial list shows it',
      (serial) => serial !== '',
    ).optional(),
  });

function hexNumber(example: string) {
  return text(
    `four hex digits in quotes, such as '${example}', as lsusb shows them`,
    /^[0-9a-fA-F]{4}$/,
  ).transform((digits) => digits.toLowerCase());
}
