/** Who is on the other side of a connection, as far as the way here tells. */
export interface Peer {
  /** The IP address. */
  readonly host: string;
  /** The IP address with the port. */
  readonly address: string;
  /** The common name of a client certificate that was verified; null without one. */
  readonly certificateName: string | null;
  /** The web page that a browser says it comes from; null where nobody says so. */
  readonly origin: string | null;
}
