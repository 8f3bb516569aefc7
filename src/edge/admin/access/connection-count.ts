import { limits } from '../../../core/limits.ts';
import { isLoopback } from '../../config/address.ts';
import { networkOf } from '../../users/login-throttle.ts';

/** Counts connections from beyond this machine, so that neither one address nor all of them together keep the command line out. */
export class ConnectionCount {
  readonly #byNetwork = new Map<string, number>();
  #remote = 0;

  /** Counts one, unless there are too many already: whether it may stay. */
  add(host: string): boolean {
    if (isLoopback(host)) return true;
    const network = networkOf(host);
    const ofNetwork = this.#byNetwork.get(network) ?? 0;
    if (this.#remote >= limits.adminRemoteConnectionsMax || ofNetwork >= limits.adminAddressConnectionsMax)
      return false;
    this.#remote += 1;
    this.#byNetwork.set(network, ofNetwork + 1);
    return true;
  }

  /** One that stayed is closed. */
  remove(host: string): void {
    if (isLoopback(host)) return;
    const network = networkOf(host);
    const left = (this.#byNetwork.get(network) ?? 0) - 1;
    this.#remote -= 1;
    if (left > 0) this.#byNetwork.set(network, left);
    else this.#byNetwork.delete(network);
  }
}
