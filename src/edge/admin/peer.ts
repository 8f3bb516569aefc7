/** The address of the other side without what marks an IPv4 address on a socket for both kinds. */
export const peerOf = (ip: string): string => ip.replace(/^::ffff:(?=\d+\.)/i, '');
