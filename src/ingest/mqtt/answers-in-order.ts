/** Something that a client sent, and that is not answered yet. */
export interface Awaited {
  /** Answers it; null while it is not known how. */
  answer: (() => void) | null;
}

/** Answers what clients sent in the order in which it came, client by client, in whatever order it is settled [MQTT-4.6.0]. */
export class AnswersInOrder<Client extends object> {
  readonly #queues = new WeakMap<Client, Awaited[]>();
  #awaited = 0;

  /** So much is not answered, of all clients. */
  get awaited(): number {
    return this.#awaited;
  }

  /** Something came, to be answered after all that came from the client before. */
  expect(client: Client): Awaited {
    const awaited: Awaited = { answer: null };
    const queue = this.#queues.get(client);
    if (queue === undefined) this.#queues.set(client, [awaited]);
    else queue.push(awaited);
    this.#awaited += 1;
    return awaited;
  }

  /** Calls `answer` once all that came before is answered, which may be at once. */
  settle(client: Client, awaited: Awaited, answer: () => void): void {
    awaited.answer = answer;
    const queue = this.#queues.get(client) ?? [];
    // An answer may settle the next one itself: so it is no longer in the queue when it is given.
    for (let next = queue[0]?.answer; next; next = queue[0]?.answer) {
      queue.shift();
      this.#awaited -= 1;
      next();
    }
  }
}
